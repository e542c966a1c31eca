import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RopeEvalError } from '../../src/errors.js';
import { check } from '../../src/gate/check.js';
import { defaultPolicy } from '../../src/gate/policy.js';
import { inspect } from '../../src/inspect.js';
import { sameValue } from '../../src/json/parse.js';
import { isNotRope, readConfig } from '../../src/model/read-model.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { computeRope } from '../../src/rope/registry.js';
import { type GoldenCase, goldenLines } from '../golden-cases.js';
import { candidate, makeReport, short } from '../helpers/report.js';
import { Mutator } from './mutate.js';

/**
 * Mutates model configs and the inputs of known attacks, and looks for what must not happen.
 *
 *     npm run fuzz -- --budget 20000 --pairs 2000 --seed 1
 *
 * `--budget` configs go through `inspect`: the only errors must be our own, every number must be
 * finite, and none may take more than a second of processor time. `--pairs` pairs go through the
 * gate with probes that see no difference: a change of a rotary table, of the rotating layers, of a
 * window or of the softmax scale must never pass without a finding. The same seed gives the same
 * inputs.
 *
 * `--silent pairs.jsonl` saves the pairs that passed without a finding.
 * tools/transformers/silent.py then asks the classes of transformers whether they read the same
 * from both.
 */

const { values } = parseArgs({
  options: {
    budget: { type: 'string', default: '20000' },
    pairs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    silent: { type: 'string' },
  },
});

const folder = (name: string): string[] =>
  readdirSync(`fixtures/${name}`)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readFileSync(`fixtures/${name}/${file}`, 'utf8'));

/** One small config for every model type, and for every composite around its text class. */
const classes = (name: string): string[] => {
  const seen = new Map<string, string>();
  for (const { config } of goldenLines<GoldenCase>(name)) {
    const text = JSON.stringify(config);
    const kind = `${String(config['model_type'])} ${Object.keys(config).sort().join()}`;
    if (!seen.has(kind)) seen.set(kind, text);
  }
  return [...seen.values()];
};

const mutator = new Mutator(
  [...folder('model-configs'), ...folder('attack'), ...classes('more.jsonl')],
  Number(values.seed),
);

/** The most seconds of processor time for one config. */
const MOST_SECONDS = 1;

const failures: string[] = [];

function fail(what: string, ...texts: string[]): void {
  failures.push(what);
  console.error(`FAIL ${what}`);
  for (const text of texts) console.error(`  ${text}`);
}

/** @returns seconds of processor time */
function timed(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function allFinite(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(allFinite);
}

/** Inspects one config and says what happened. */
function inspectOne(text: string): 'read' | 'refused' | 'failed' {
  try {
    if (allFinite(inspect(text))) return 'read';
    fail('a number that is not finite', text);
  } catch (error) {
    if (error instanceof RopeEvalError) return 'refused';
    fail(`an error that is not ours: ${String(error)}`, text);
  }
  return 'failed';
}

function inspectMany(count: number): void {
  const results = { read: 0, refused: 0, failed: 0 };
  let slowest = 0;
  for (let i = 0; i < count; i++) {
    const text = mutator.text();
    const seconds = timed(() => results[inspectOne(text)]++);
    slowest = Math.max(slowest, seconds);
    if (seconds > MOST_SECONDS)
      fail(`${seconds.toFixed(2)} s of processor time`, text.slice(0, 2000));
  }
  const { read, refused } = results;
  console.log(
    `inspect: ${count} configs, ${read} read, ${refused} refused, slowest ${slowest.toFixed(3)} s`,
  );
}

const EQUAL = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('as-configured', 'reaches', 4, short(0, 0)),
  ],
});

/** The facts that must not change without a finding, at lengths on both sides of every switch. */
function facts({ groups, layersWithoutRope, softmaxScale }: ModelGeometry): string {
  const tables = groups.flatMap(({ rope, layers, span }) =>
    [1, 1_000_000].map((length) => {
      const { invFreq, attentionScaling } = computeRope(rope, length);
      return { frequencies: [...invFreq], attentionScaling, layers, span };
    }),
  );
  return JSON.stringify({ tables, layersWithoutRope, softmaxScale });
}

async function pairMany(count: number): Promise<void> {
  const results = { passed: 0, failed: 0, refused: 0, moved: 0 };
  let tried = 0;
  while (tried < count) {
    const [before, after] = mutator.pair();
    const outcome = await pairOne(before, after);
    if (outcome === undefined) continue;
    tried++;
    results[outcome.result]++;
    if (outcome.moved) results.moved++;
  }
  const { passed, failed, refused, moved } = results;
  console.log(
    `check --base: ${count} pairs, ${moved} moved a table, a layer, a window or the softmax scale; ` +
      `${passed} passed, ${failed} failed, ${refused} refused`,
  );
}

/** @returns undefined if one of the two is not a config of a model with RoPE */
async function pairOne(
  before: string,
  after: string,
): Promise<{ result: 'passed' | 'failed' | 'refused'; moved: boolean } | undefined> {
  const side = (text: string, source: string) => {
    const read = readConfig(text, { source });
    return isNotRope(read.model) ? undefined : { text, source, read, model: read.model };
  };
  try {
    const [base, config] = [side(before, 'base.json'), side(after, 'config.json')];
    if (!base || !config) return undefined;
    const moved = facts(base.model) !== facts(config.model);
    // A finding that the base has already is not about the change.
    const findings = config.model.findings.filter(
      (found) => !base.model.findings.some((old) => sameValue(old, found)),
    );
    const lowered = config.model.maxPositions < base.model.maxPositions;
    const { result } = await check({
      config,
      base,
      policy: defaultPolicy(),
      target: undefined,
      options: {},
      evaluate: async () => ({ ...EQUAL, findings }),
      commands: () => ({ compare: '', again: () => '', alone: () => '' }),
    });
    const silent = result.exitCode === 0 && result.findings.length === 0;
    if (silent && values.silent !== undefined) {
      appendFileSync(values.silent, `${JSON.stringify([before, after])}\n`);
    }
    if (silent && moved) fail('a change that passed without a word', before, after);
    if (result.exitCode === 0 && lowered) fail('a window that was lowered passed', before, after);
    return { result: result.exitCode === 0 ? 'passed' : 'failed', moved };
  } catch (error) {
    if (error instanceof RopeEvalError) return { result: 'refused', moved: false };
    fail(`an error that is not ours: ${String(error)}`, before, after);
    return { result: 'failed', moved: false };
  }
}

inspectMany(Number(values.budget));
await pairMany(Number(values.pairs));
process.exitCode = failures.length > 0 ? 1 : 0;
