import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/cli/failure.js';
import type { Evaluate } from '../../src/options.js';
import { fakeProcess, type FakeProcess } from '../helpers/environment.js';
import { makeReport } from '../helpers/report.js';
import { temporaryFolder } from '../helpers/temporary.js';

const CONFIG = resolve('configs/Llama-2-7b-hf.json');

/** An evaluation that runs until it is told to stop, and that presses Ctrl-C once it runs. */
function untilStopped(press: () => void, saves = true): Evaluate {
  return (_, options = {}) =>
    new Promise((finish, fail) => {
      options.signal?.addEventListener('abort', () => {
        if (saves) finish(makeReport({ status: 'interrupted' }));
        else fail(new Error('stopped too early'));
      });
      press();
    });
}

function pressing(argv: readonly string[], cwd: string, times = 1, saves = true): FakeProcess {
  const fake: FakeProcess = fakeProcess([CONFIG, ...argv], {
    cwd,
    evaluate: untilStopped(() => {
      for (let i = 0; i < times; i++) fake.interrupt();
    }, saves),
  });
  return fake;
}

describe('Ctrl-C', () => {
  it('saves the finished part and exits with 130', async () => {
    const cwd = await temporaryFolder();
    const ran = await pressing(['-o', 'r.json'], cwd).run();
    expect(ran.code).toBe(130);
    expect(JSON.parse(await readFile(join(cwd, 'r.json'), 'utf8'))).toMatchObject({
      status: 'interrupted',
    });
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain('r.json');
    expect(ran.killed).toEqual([]);
  });

  it('prints complete JSON with its status under --json', async () => {
    const ran = await pressing(['--json'], await temporaryFolder()).run();
    expect(JSON.parse(ran.stdout)).toMatchObject({ status: 'interrupted' });
    expect(ran.code).toBe(130);
  });

  it('ends at once when pressed again', async () => {
    const ran = await pressing([], await temporaryFolder(), 2).run();
    expect(ran.killed).toEqual([130]);
  });

  it('exits with 130 and writes nothing where nothing was finished', async () => {
    const cwd = await temporaryFolder();
    const ran = await pressing(['-o', 'r.json'], cwd, 1, false).run();
    expect(ran.code).toBe(130);
    expect(ran.error).toBeInstanceOf(InterruptedError);
    expect(await readdir(cwd)).toEqual([]);
  });
});

it('exits with 3 where the runtime gave up, and saves what it had', async () => {
  const cwd = await temporaryFolder();
  const { run } = fakeProcess([CONFIG, '-o', 'r.json'], {
    cwd,
    evaluate: async () => makeReport({ status: 'failed' }),
  });
  const ran = await run();
  expect(ran.code).toBe(3);
  expect(await readdir(cwd)).toEqual(['r.json']);
  const saved = JSON.parse(await readFile(join(cwd, 'r.json'), 'utf8')) as unknown;
  expect(saved).toMatchObject({ status: 'failed' });
  expect(ran.stdout).toContain('Qwen2ForCausalLM');
});
