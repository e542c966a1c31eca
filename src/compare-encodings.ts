import { performance } from 'node:perf_hooks';
import { checkOptions, ENCODINGS_OPTIONS } from './check-options.js';
import {
  loadEncodings,
  loadFamily,
  loadLanguage,
  opener,
  type EngineInfo,
} from './engine/index.js';
import type { EvaluateOptions } from './evaluate-types.js';
import { planRope, planTwin } from './evaluation/encodings/plan.js';
import { RowGroup } from './evaluation/encodings/run.js';
import { defaultThreads, runtimeOf } from './evaluation/runtime.js';
import { contextSets } from './evaluation/sets.js';
import { planOf } from './probes/presets.js';
import {
  ENCODINGS_SCHEMA_VERSION,
  type EncodingRow,
  type EncodingsReport,
} from './report/encodings-schema.js';
import { TOOL_VERSION } from './version.js';

/** Window multiples at which every encoding is asked. */
export const LADDER = Object.freeze([1, 2, 4, 8]);

export interface CompareEncodingsOptions extends Pick<
  EvaluateOptions,
  'preset' | 'device' | 'seed' | 'samples' | 'threads' | 'worker' | 'signal' | 'onProgress'
> {
  /** Encodings to run, beside unscaled RoPE; none: nothing is run. Default: all, RoPE scaled too. */
  readonly encodings?: readonly string[];
}

export type CompareEncodings = (options?: CompareEncodingsOptions) => Promise<EncodingsReport>;

/**
 * Twins of the probe model that differ in their position encoding alone, on the same contexts at
 * 1x, 2x, 4x and 8x of the window that all were trained on; RoPE beside them, with and without
 * scaling.
 *
 * One seed, one thread count, one machine: the same report but for `createdAt` and `timings`.
 *
 * @throws RopeEvalError exit 2 for a bad option, 3 where the twins are missing or the runtime fails
 */
export const compareEncodings: CompareEncodings = async (options = {}) => {
  checkOptions(options, ENCODINGS_OPTIONS);
  const started = performance.now();
  const { preset = 'standard', seed = 1, device = 'auto', encodings } = options;
  const plan = planOf(preset, options.samples);
  const threads = options.threads ?? defaultThreads();
  const [card, family] = await Promise.all([loadEncodings(), loadFamily()]);
  const { window } = card.rope;
  const ladder = LADDER.map((multiple) => ({ multiple, tokens: multiple * window }));
  const lengths = ladder.map((rung) => rung.tokens);
  const sets = contextSets(
    await loadLanguage(family),
    window,
    LADDER,
    { ...plan, short: 0, shortText: 0, apart: 0 },
    seed,
    LADDER.at(-1)!,
  );
  const rope = planRope(card.rope, card.shape, lengths);
  const wanted = card.twins.filter((t) => encodings?.includes(t.encoding) ?? true);
  const twins = await Promise.all(wanted.map((twin) => planTwin(twin, card.shape, lengths)));
  const plans = [encodings ? rope.slice(0, 1) : rope, ...twins.map((twin) => [twin])];
  const groups = encodings?.length === 0 ? [] : plans.map((list) => new RowGroup(list, sets));

  const { contexts } = sets.long;
  const chance = contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length;
  const total = groups.reduce((sum, group) => sum + group.tokens, 0);
  const open = opener(options.worker, lengths.at(-1)!);
  const rows: EncodingRow[] = [];
  let info: EngineInfo | undefined;
  let tokens = 0;
  for (const group of groups) {
    if (options.signal?.aborted) break;
    const engine = await open({ member: group.model, graph: 'encodings', device, threads });
    info = engine.info;
    try {
      const complete = await group.run(
        engine,
        (done, label) => options.onProgress?.({ done: tokens + done, total, label }),
        options.signal,
      );
      if (!complete) break;
    } finally {
      await engine.close();
    }
    tokens += group.tokens;
    rows.push(...group.rows(ladder, seed, chance));
  }
  return {
    schemaVersion: ENCODINGS_SCHEMA_VERSION,
    tool: { name: 'rope-eval', version: TOOL_VERSION },
    createdAt: new Date().toISOString(),
    status: tokens === total ? 'complete' : 'interrupted',
    findings: [],
    settings: {
      preset,
      seed,
      contexts: { long: plan.long, longText: plan.longText },
      threads,
      deviceAsked: device,
      device: info?.device ?? null,
      ladder,
    },
    graphSha256: card.graphSha256,
    runtime: info ? runtimeOf(info.onnxruntime) : null,
    chance,
    rows,
    timings: { totalMs: performance.now() - started, tokens },
  };
};
