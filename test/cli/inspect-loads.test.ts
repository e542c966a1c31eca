import { expect, it, vi } from 'vitest';
import { runCli } from '../helpers/environment.js';

// Each of these takes longer to load than the rest of the answer takes to compute.
vi.mock('onnxruntime-node', () => refuse('onnxruntime-node'));
vi.mock('zod', () => refuse('zod'));
vi.mock('ora', () => refuse('ora'));
vi.mock('cli-table3', () => refuse('cli-table3'));
vi.mock('wrap-ansi', () => refuse('wrap-ansi'));
vi.mock('string-width', () => refuse('string-width'));
vi.mock('../helpers/report.js', () => ({ makeReport: () => refuse('a report') }));

function refuse(name: string): never {
  throw new Error(`${name} was loaded`);
}

const CONFIG = 'configs/Llama-2-7b-hf.json';

it.each([
  [['inspect', CONFIG]],
  [['inspect', CONFIG, '--json']],
  [['inspect', CONFIG, '--candidate', 'yarn:4']],
  [['fingerprint', CONFIG]],
  [['explain', 'RE012']],
])('%j loads no runtime, no schemas and no spinner', async (argv) => {
  const { code, stderr } = await runCli(argv);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});
