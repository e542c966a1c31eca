import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckSchema } from '../../src/gate/judge.js';
import type { Report } from '../../src/report/schema/report.js';
import { type FakeOptions, type Ran, runCli } from './environment.js';
import { candidate, makeReport, short } from './report.js';
import { temporaryFolder } from './temporary.js';

export const CONFIG = {
  model_type: 'qwen2',
  hidden_size: 3584,
  num_attention_heads: 28,
  num_key_value_heads: 4,
  num_hidden_layers: 28,
  max_position_embeddings: 32768,
  rope_theta: 1000000,
};
export const LINEAR = {
  ...CONFIG,
  rope_scaling: { rope_type: 'linear', factor: 4, original_max_position_embeddings: 32768 },
};

export const good = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('as-configured', 'reaches', 4, short(0, 0.004)),
  ],
});
export const bad = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('as-configured', 'fails-short', 4, short(-0.4, 0.66)),
  ],
});

/** A change of theta alone that passes with a warning, at the trained window. */
export const TUNED = {
  args: ['--base', 'old.json', '--rule', 'reach >= 1x'],
  files: { 'config.json': { ...CONFIG, rope_theta: 1.1e6 }, 'old.json': CONFIG },
  report: tuned(),
  /** The command that shows what the change buys. */
  further: 'rope-eval config.json --base old.json',
};

function tuned(): Report {
  const [reference, own] = good.candidates;
  const groups = own!.groups.map((group) => ({ ...group, changed: true }));
  const needle = own!.needle.slice(0, 1);
  return {
    ...good,
    target: { multiple: 1, tokens: 32_768 },
    candidates: [reference!, { ...own!, groups, needle, short: short(-0.01, 0.03) }],
  };
}

interface Setting extends FakeOptions {
  readonly files?: Record<string, unknown>;
  readonly report?: Report;
}

export async function check(
  args: readonly string[],
  setting: Setting = {},
): Promise<Ran & { cwd: string }> {
  const cwd = await temporaryFolder();
  const files = { 'config.json': LINEAR, ...setting.files };
  for (const [name, value] of Object.entries(files)) {
    await mkdir(join(cwd, name, '..'), { recursive: true });
    await writeFile(
      join(cwd, name),
      typeof value === 'string' ? value : JSON.stringify(value, null, 2),
    );
  }
  const evaluate = async () => setting.report ?? good;
  // The terminal is wide, because this is about the words and not about where lines break.
  const fake = { cwd, evaluate, columns: 400, ...setting };
  const ran = await runCli(['check', 'config.json', ...args], fake);
  return { ...ran, cwd };
}

/** What `check --json` printed. */
export function resultOf({ stdout }: Ran) {
  return CheckSchema.parse(JSON.parse(stdout));
}

/** Runs `check` for its result as data. */
export async function checked(args: readonly string[], setting?: Setting) {
  return resultOf(await check([...args, '--json'], setting));
}
