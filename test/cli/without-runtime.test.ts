import { expect, it, vi } from 'vitest';
import { runCli } from '../helpers/environment.js';

// Loading the runtime takes longer than the whole answer of these commands.
vi.mock('onnxruntime-node', () => {
  throw new Error('RUNTIME-LOADED');
});

const CONFIG = 'configs/Llama-2-7b-hf.json';

it.each([
  [['--help'], 0],
  [['inspect', '--help'], 0],
  [['inspect', CONFIG], 0],
  [['inspect', CONFIG, '--json', '--candidate', 'yarn:4'], 0],
  [['fingerprint', CONFIG], 0],
  [['explain', 'RE001'], 0],
  [['schema'], 0],
  [[CONFIG, '--candidates', 'yran:4'], 2],
])('%j answers without the runtime', async (argv, code) => {
  const ran = await runCli(argv);
  expect(ran.stderr).not.toContain('RUNTIME-LOADED');
  expect(ran.code).toBe(code);
});
