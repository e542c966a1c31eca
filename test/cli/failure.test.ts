import { describe, expect, it } from 'vitest';
import { option, RopeEvalError, words } from '../../src/errors.js';
import { runCli } from '../helpers/environment.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';

function failing(error: unknown, env: Record<string, string> = {}) {
  return runCli([CONFIG], { env, evaluate: async () => Promise.reject(error) });
}

describe('errors', () => {
  it('prints what, where and what to do', async () => {
    const error = new RopeEvalError('cuda_unavailable', {
      option: 'device',
      problem: 'no CUDA',
      hint: 'Install it.',
    });
    const ran = await failing(error);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toBe('error: --device: no CUDA\n  Install it.\n');
  });

  it('names options as flags on the command line, and by their names to a program', async () => {
    const error = new RopeEvalError('no_effect', {
      option: 'trainedWindow',
      problem: words`has no effect without ${option('sequenceLength')}`,
      hint: words`Leave it out, or use ${option('output')}.`,
    });
    expect(error.message).toBe('option trainedWindow: has no effect without sequenceLength');
    expect(error.hint).toBe('Leave it out, or use output.');
    const ran = await failing(error);
    expect(ran.stderr).toBe(
      'error: --trained-window: has no effect without --seq-len\n  Leave it out, or use -o.\n',
    );
  });

  it('asks for a report of what nobody foresaw, without a stack', async () => {
    const defect = new TypeError('x is undefined');
    const ran = await failing(defect);
    expect({ code: ran.code, error: ran.error }).toEqual({ code: 3, error: defect });
    expect(ran.stderr).toContain(`error: unexpected: ${defect.message}\n`);
    expect(ran.stderr).toContain('ROPE_EVAL_DEBUG=1');
    expect(ran.stderr).not.toMatch(/\n\s+at .*\.ts/);
  });

  it.each(['DEBUG', 'ROPE_EVAL_DEBUG'])('prints the stack with %s', async (name) => {
    const ran = await failing(new TypeError('x is undefined'), { [name]: '1' });
    expect(ran.stderr).toMatch(/failure\.test\.ts/);
  });
});
