import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/environment.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';

describe('an error under --json', () => {
  it.each([
    ['invalid_argument', ['check', 'x', '--json', '--seed', 'abc']],
    ['unknown_option', ['check', 'x', '--json', '--foo']],
    ['unknown_option', ['check', 'x', '--foo', '--json']],
    ['invalid_argument', ['check', 'x', '--json', '--preset', 'x']],
    ['option_missing_argument', ['check', 'x', '--json', '--seed']],
    ['missing_argument', ['check', '--json']],
    ['too_many_arguments', ['check', 'a', 'b', '--json']],
    ['missing_file', ['check', 'x', '--json']],
    ['unknown_option', [CONFIG, '--json', '--foo']],
    ['out_of_range', [CONFIG, '--json', '--target', '-1']],
    ['missing_file', ['inspect', 'x', '--json']],
    ['unknown_option', ['inspect', CONFIG, '--json', '--foo']],
    ['invalid_argument', ['encodings', '--json', '--threads', '0']],
    ['missing_argument', ['emit', CONFIG, '--json']],
    ['missing_argument', ['compare', 'a.json', '--json']],
    ['unknown_option', ['fingerprint', CONFIG, '--json', '--foo']],
    ['unknown_option', ['doctor', '--json', '--foo']],
  ])('is JSON of the kind %s for %j', async (kind, argv) => {
    const ran = await runCli(argv);
    expect(ran.code).toBe(2);
    const output = JSON.parse(ran.stdout) as { message: string };
    expect(output).toMatchObject({ status: 'error', exitCode: 2, kind });
    expect(ran.stderr).toContain(`error: ${output.message}`);
  });

  it('is in words alone where the command has no --json, or it was not asked for', async () => {
    for (const argv of [
      ['schema', '--json'],
      ['check', 'x'],
      ['check', '--', '--json'],
    ]) {
      expect(await runCli(argv)).toMatchObject({ code: 2, stdout: '' });
    }
  });

  it('does not follow help', async () => {
    const { code, stdout } = await runCli(['check', '--json', '--help']);
    expect(code).toBe(0);
    expect(stdout).not.toContain('"status"');
  });

  it('says that a defect is one', async () => {
    const evaluate = () => Promise.reject(new Error('boom'));
    const { code, stdout } = await runCli([CONFIG, '--json'], { evaluate });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'unexpected', message: 'boom', exitCode: 3 });
  });
});
