import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import { modelConfig } from '../golden-cases.js';

/** Published config → encoding, or evidence and trained window of the reference. */
const EXPECTED: Readonly<Record<string, string>> = {
  'DeepSeek-R1.json': 'deepseek-yarn 163840',
  'DeepSeek-V3.2.json': 'deepseek-yarn 163840',
  'DeepSeek-V3.json': 'deepseek-yarn 163840',
  'Hunyuan-7B.json': 'hunyuan-alpha 32768',
  'Llama-2-7b-hf.json': 'no-scaling 4096',
  'Llama-3.2-1B-Instruct.json': 'llama3 131072',
  'Llama-3_3-Nemotron-Super-49B-v1.json': 'llama3 131072',
  'Llama-4-Scout-17B-16E-Instruct.json': 'llama4 10485760',
  'Meta-Llama-3-8B-Instruct.json': 'no-scaling 8192',
  'Meta-Llama-3.1-405B.json': 'llama3 131072',
  'Meta-Llama-3.1-8B.json': 'llama3 131072',
  'Mistral-7B-v0.1.json': 'no-scaling 32768',
  'Qwen2.5-7B-Instruct.json': 'no-scaling 32768',
  'Qwen3-0.6B.json': 'no-scaling 40960',
  'Qwen3-8B.json': 'no-scaling 40960',
  'Qwen3.5-27B.json': 'no-scaling 262144',
  'SmolLM3-3B.json': 'no-scaling 65536',
  'c4ai-command-r-v01.json': 'no-scaling 131072',
  'esm2_t33_650M.json': 'no-scaling 1026',
  'falcon-7b.json': 'no-scaling 2048',
  'gemma-2-9b-it.json': 'no-scaling 8192',
  'gemma-3-1b-it.json': 'no-scaling 32768',
  'glm-4-9b-hf.json': 'no-scaling 131072',
  'gpt-j-6b.json': 'no-scaling 2048',
  'gpt-oss-120b.json': 'gpt-oss-yarn 131072',
  'gpt-oss-20b.json': 'gpt-oss-yarn 131072',
  'gpt2.json': 'learned',
  'modernbert-base.json': 'no-scaling 8192',
  'mpt-7b.json': 'alibi',
  'phi-2.json': 'no-scaling 2048',
  'pythia-6.9b.json': 'no-scaling 2048',
  't5-small.json': 'relative',
};

describe('every published config is read or refused rightly', () => {
  it('covers the whole folder', () => {
    const files = readdirSync(new URL('../../fixtures/model-configs', import.meta.url));
    expect(files.toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, expected) => {
    const model = readModel(parseConfig(modelConfig(name)));
    if (isNotRope(model)) {
      expect(model.encoding).toBe(expected);
      return;
    }
    const { evidence, trainedWindow } = chooseReference(model);
    expect(`${evidence} ${trainedWindow}`).toBe(expected);
  });
});
