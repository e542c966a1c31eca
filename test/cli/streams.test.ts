import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Output } from '../../src/cli/streams.js';
import { readConfig } from '../../src/model/read-model.js';
import { ReportSchema } from '../../src/report/schema/report.js';
import { runCli } from '../helpers/environment.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';

describe('standard streams', () => {
  it('prints the report on stdout and nothing on stderr where nobody watches', async () => {
    const ran = await runCli([CONFIG]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('--details');
    expect(ran.stderr).toBe('');
  });

  it('prints JSON alone with --json, on a terminal too', async () => {
    const ran = await runCli([CONFIG, '--json'], { terminal: true });
    ReportSchema.parse(JSON.parse(ran.stdout));
    expect(ran.stderr).toBe('');
  });

  it('reads the config from standard input for -', async () => {
    const stdin = await readFile(CONFIG, 'utf8');
    const ran = await runCli(['-', '--json'], { stdin });
    expect(ran.code).toBe(0);
    expect(ran.calls[0]?.config).toEqual(readConfig(stdin));
    expect(ran.calls[0]?.options.source).toBe('-');
  });

  it('uses colour on a terminal only', async () => {
    const escape = '\u001b[';
    expect((await runCli([CONFIG], { terminal: true })).stdout).toContain(escape);
    expect((await runCli([CONFIG])).stdout).not.toContain(escape);
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }, { CI: 'true' }])(
    'is plain with %o',
    async (env) => {
      const ran = await runCli([CONFIG], { terminal: true, env });
      expect(ran.stdout + ran.stderr).not.toContain('\u001b[');
      expect(ran.stderr).toBe('');
    },
  );

  it('takes an empty NO_COLOR for none', async () => {
    const ran = await runCli([CONFIG], { terminal: true, env: { NO_COLOR: '' } });
    expect(ran.stdout).toContain('\u001b[');
  });

  it('leaves the heatmap out with --no-plots', async () => {
    const details = async (...flags: string[]) =>
      (await runCli([CONFIG, '--details', ...flags])).stdout;
    expect(await details()).toContain('█');
    expect(await details('--no-plots')).not.toContain('█');
  });

  it('prints the answer alone, and everything with --details', async () => {
    const [answer, details] = [await runCli([CONFIG]), await runCli([CONFIG, '--details'])];
    expect(answer.stdout.split('\n').length).toBeLessThan(24);
    expect(details.stdout.split('\n').length).toBeGreaterThan(40);
  });

  it.each([['--json'], ['--optimize', '--target', '16384']])(
    'refuses --details beside %s',
    async (...flags) => {
      const ran = await runCli([CONFIG, '--details', ...flags]);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/--details/);
    },
  );

  it('prints version and help on stdout with exit 0', async () => {
    const version = await runCli(['--version']);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('--candidates');
  });
});

describe('the width', () => {
  it('is that of COLUMNS where output is piped, and of the terminal elsewhere', () => {
    const width = (env: Record<string, string>, columns?: number): number =>
      new Output({ write: () => true, ...(columns && { columns }) } as never, env).columns;
    expect(width({ COLUMNS: '72' })).toBe(72);
    expect(width({ COLUMNS: '20' })).toBe(40);
    expect(width({})).toBe(100);
    for (const wrong of ['', '0', '-5', '1e3', 'wide', '99999']) {
      expect(width({ COLUMNS: wrong })).toBe(100);
    }
    expect(width({ COLUMNS: '72' }, 130)).toBe(130);
  });

  it.each([
    '',
    'inspect',
    'check',
    'pull-request',
    'compare',
    'emit',
    'sweep',
    'merge',
    'fingerprint',
    'encodings',
    'explain',
    'schema',
    'doctor',
    'complete',
  ])('of the help of %j is 80 at most', async (name) => {
    const argv = [...(name === '' ? [] : [name]), '--help'];
    const { stdout } = await runCli(argv, { columns: 200 });
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toContain('Usage:');
  });
});
