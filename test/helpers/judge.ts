import { check, type CheckRun, type GateConfig } from '../../src/gate/check.js';
import type { GateResult } from '../../src/gate/judge.js';
import { defaultPolicy } from '../../src/gate/policy.js';
import { readConfig } from '../../src/model/read-model.js';
import { candidate, makeReport, short } from './report.js';

/**
 * A report in which the probes see no difference. A gate that fails with it fails by comparison.
 */
export const EQUAL = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('as-configured', 'reaches', 4, short(0, 0)),
  ],
});

/** Makes one side of a change from its text. */
export function side(text: string, source: string): GateConfig {
  return { text, source, read: readConfig(text, { source }) };
}

/** Runs the gate on a config and its previous version, with probes that see no difference. */
export function judge(
  config: object | string,
  base: object | string | undefined,
  policy = defaultPolicy(),
): Promise<CheckRun> {
  const text = (value: object | string): string =>
    typeof value === 'string' ? value : JSON.stringify(value);
  return check({
    config: side(text(config), 'config.json'),
    base: base === undefined ? undefined : side(text(base), 'base.json'),
    policy,
    target: undefined,
    options: {},
    evaluate: async () => EQUAL,
    commands: () => ({ compare: 'rope-eval', again: () => 'rope-eval', alone: () => '' }),
  });
}

export async function verdict(...given: Parameters<typeof judge>): Promise<GateResult> {
  return (await judge(...given)).result;
}

/** Lists the codes of findings with severity error. */
export function errors(result: GateResult): string[] {
  return result.findings.filter(({ level }) => level === 'error').map(({ code }) => code);
}

/** A plain decoder. */
export const LLAMA = Object.freeze({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 4,
  num_key_value_heads: 8,
  max_position_embeddings: 8192,
  vocab_size: 32000,
  rope_theta: 500000,
});
