import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/evaluate.js';
import { runCli } from '../helpers/environment.js';
import { temporaryFolder } from '../helpers/temporary.js';

const LLAMA = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  max_position_embeddings: 4096,
  rope_theta: 10_000,
};

/** Each: what is in config.json, the arguments, and what the one message must say. */
const CASES: readonly (readonly [
  name: string,
  config: string | undefined,
  argv: readonly string[],
  says: RegExp,
])[] = [
  ['a missing file', undefined, ['nothing.json'], /nothing\.json: no such file/],
  ['a folder without config.json', undefined, ['folder'], /folder: no config\.json in this folder/],
  ['a Hub id', undefined, ['Qwen/Qwen2.5-7B'], /hf download Qwen\/Qwen2\.5-7B config\.json/],
  [
    'text that is not JSON',
    '{"model_type": llama}',
    ['config.json'],
    /config\.json is not JSON.*1/,
  ],
  ['an empty file', '', ['config.json'], /not JSON/],
  [
    'an option of another command',
    JSON.stringify(LLAMA),
    ['config.json', '--engine', 'vllm'],
    /emit takes --engine: rope-eval emit config\.json CANDIDATE --engine vllm/,
  ],
  [
    'an option of the default command',
    JSON.stringify(LLAMA),
    ['check', 'config.json', '--optimize'],
    /the default command takes --optimize: rope-eval config\.json --optimize/,
  ],
  [
    'an option of a command that takes a config, to one that takes none',
    undefined,
    ['doctor', '--dtype', 'fp8'],
    /inspect takes --dtype: rope-eval inspect CONFIG --dtype fp8/,
  ],
  [
    'an argument as an option',
    JSON.stringify(LLAMA),
    ['emit', 'config.json', '--candidate', 'yarn:4'],
    /it is an argument: rope-eval emit config\.json yarn:4/,
  ],
  [
    'a scaling as an argument',
    JSON.stringify(LLAMA),
    ['config.json', 'yarn:4'],
    /--candidates: rope-eval config\.json --candidates yarn:4/,
  ],
  [
    'a scaling as an argument of inspect',
    JSON.stringify(LLAMA),
    ['inspect', 'config.json', 'yarn:4'],
    /--candidate: rope-eval inspect config\.json --candidate yarn:4/,
  ],
  [
    'several lengths',
    JSON.stringify(LLAMA),
    ['config.json', '--optimize', '--target', '64k,128k'],
    /Give the longest, 131072: .*--optimize/,
  ],
  [
    'a multiple as a length',
    JSON.stringify(LLAMA),
    ['config.json', '--target', '4x'],
    /takes --factor 4x/,
  ],
  [
    'a length with a point between thousands',
    JSON.stringify(LLAMA),
    ['inspect', 'config.json', '--target', '131.072'],
    /: 131072/,
  ],
  [
    'an option of one value, given twice',
    JSON.stringify(LLAMA),
    ['emit', 'config.json', 'yarn:4', '--engine', 'vllm', '--engine', 'sglang'],
    /given already, as vllm/,
  ],
  [
    'several engines',
    JSON.stringify(LLAMA),
    ['emit', 'config.json', 'yarn:4', '--engine', 'vllm,sglang'],
    /Give one, or none for all/,
  ],
  [
    'configs where reports are compared',
    JSON.stringify(LLAMA),
    ['compare', 'config.json', 'config.json'],
    /the config of a model[^]*rope-eval check config\.json --base config\.json/,
  ],
  ['a list', '[1, 2]', ['config.json'], /must hold a JSON object, found/],
  ['an odd rotary dimension', JSON.stringify({ ...LLAMA, head_dim: 65 }), ['config.json'], /65/],
  ['NaN', JSON.stringify(LLAMA).replace('10000', 'NaN'), ['config.json'], /NaN/],
  [
    'an unknown candidate',
    JSON.stringify(LLAMA),
    ['config.json', '--candidates', 'yran:4'],
    /yran.*did you mean "yarn"/,
  ],
  [
    'a candidate factor below 1',
    JSON.stringify(LLAMA),
    ['config.json', '--candidates', 'yarn:0.5'],
    /at least 1/,
  ],
  ['a factor of 1', JSON.stringify(LLAMA), ['config.json', '--factor', '1'], /above 1/],
  [
    'a target inside the trained window',
    JSON.stringify(LLAMA),
    ['config.json', '--target', '2k'],
    /2048.*trained window of 4096/,
  ],
  ['a target of NaN', JSON.stringify(LLAMA), ['config.json', '--target', 'NaN'], /whole number/],
  ['a negative target', JSON.stringify(LLAMA), ['config.json', '--target', '-1'], /whole number/],
  [
    'a folder as output',
    JSON.stringify(LLAMA),
    ['config.json', '-o', 'out.json'],
    /out\.json cannot be written: it is a folder/,
  ],
  [
    'an output in a missing folder',
    JSON.stringify(LLAMA),
    ['config.json', '-o', 'missing/report.json'],
    /cannot be written: the folder does not exist/,
  ],
  [
    'an output of unknown form',
    JSON.stringify(LLAMA),
    ['config.json', '-o', 'report.pdf'],
    /report\.pdf.*unknown/,
  ],
  [
    'the same output twice',
    JSON.stringify(LLAMA),
    ['config.json', '-o', 'a.json', '-o', './a.json'],
    /given twice/,
  ],
  [
    'an option without effect',
    JSON.stringify(LLAMA),
    ['config.json', '--factor', '2', '--target', '8k', '--candidates', 'yarn:2'],
    /--factor has no effect/,
  ],
  ['an empty name', undefined, [''], /the name of the config is empty/],
  [
    'a longrope factor in place of a file',
    JSON.stringify(LLAMA),
    ['config.json', '--candidates', 'longrope:4'],
    /longrope:4: longrope takes a JSON file.*no file 4\n.*short_factor/,
  ],
  [
    'a second --candidate, to inspect',
    JSON.stringify(LLAMA),
    ['inspect', 'config.json', '--candidate', 'yarn:2', '--candidate', 'yarn:4'],
    /given already, as yarn:2/,
  ],
  [
    'a second --candidate, to fingerprint',
    JSON.stringify(LLAMA),
    ['fingerprint', 'config.json', '--candidate', 'yarn:2', '--candidate', 'yarn:4'],
    /given already, as yarn:2/,
  ],
  [
    'threads that no machine has',
    JSON.stringify(LLAMA),
    ['config.json', '--threads', '1000'],
    /--threads.*whole number from 1 to 64/,
  ],
  [
    'a file above the one limit',
    `${JSON.stringify(LLAMA)}${' '.repeat(9 * 1024 * 1024)}`,
    ['config.json'],
    /config\.json is too large for a config\.json: more than 8 MiB\n/,
  ],
  ['two configs', JSON.stringify(LLAMA), ['config.json', 'other.json'], /one config at a time/],
  ['a misspelt command', undefined, ['inspct', 'config.json'], /did you mean inspect/],
  ['a misspelt option', JSON.stringify(LLAMA), ['config.json', '--jsn'], /Did you mean --json/],
  ['no argument', undefined, [], /missing required argument/],
  ['an unknown preset', JSON.stringify(LLAMA), ['config.json', '--preset', 'fast'], /quick/],
  ['an option before the command', undefined, ['--quiet', 'inspect', 'x'], /stands before/],
];

describe('bad input', () => {
  it.each(CASES)('%s: exit 2, one message, nothing written', async (_, config, argv, says) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'folder'));
    await mkdir(join(cwd, 'out.json'));
    if (config !== undefined) await writeFile(join(cwd, 'config.json'), config);
    const before = await readdir(cwd);

    // The real evaluation: it must refuse before it opens anything.
    const ran = await runCli(argv, { cwd, evaluate });

    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr.match(/^error: /gm)).toHaveLength(1);
    expect(ran.stderr).not.toMatch(/\n\s+at .*\.(ts|js):\d+/);
    expect(await readdir(cwd)).toEqual(before);
  });
});
