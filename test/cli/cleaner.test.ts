import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Output } from '../../src/cli/streams.js';
import { paint } from '../../src/report/format.js';

/** What reaches a stream of this kind. */
function written(
  act: (output: Output) => void,
  { terminal = false, env = {} }: { terminal?: boolean; env?: Record<string, string> } = {},
): string {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString('utf8');
      done();
    },
  });
  act(new Output(Object.assign(stream, { isTTY: terminal }), env));
  return text;
}

const say = (text: string, where = {}): string => written((output) => output.write(text), where);
const GITHUB = { env: { GITHUB_ACTIONS: 'true' } };

describe('a stream', () => {
  it.each([
    ['escape sequences', '\u001b[31mred\u001b]52;c;ZQ==\u0007'],
    ['C1 controls', '\u009b31m\u0085'],
    ['bidi controls', '\u202e\u2066\u200f\u061c'],
    ['line ends that do not look like it', 'a\u2028b\u2029c\rd\u000be\u000c'],
    ['invisible tags', '\u{e0041}'],
    ['NUL and DEL', '\u0000\u007f'],
  ])('lets no %s through', (_, text) => {
    for (const where of [{}, { terminal: true }, GITHUB]) {
      // eslint-disable-next-line no-control-regex -- they are what is looked for
      expect(say(text, where)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u{e0041}]/u);
      expect(say(text, where)).not.toMatch(/[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
    }
  });

  it('keeps ordinary text, ends of lines and tabs', () => {
    expect(say('a\tb\n–·≥ Über 漢字 👍\r\n')).toBe('a\tb\n–·≥ Über 漢字 👍\r\n');
  });

  it('shows our own colours at a terminal, and nobody else’s', () => {
    const text = `${paint(true).red('bad')} \u001b[31mforged\u001b[39m`;
    expect(say(text, { terminal: true })).toBe('\u001b[31mbad\u001b[39m ·[31mforged·[39m');
    expect(say(text)).toBe('bad ·[31mforged·[39m');
    expect(say(text, { terminal: true, env: { NO_COLOR: '1' } })).not.toContain('\u001b');
  });

  it('nests styles and paints each line', () => {
    const { bold, red } = paint(true);
    const text = say(bold(`a${red('b')}\nc`), { terminal: true });
    expect(text).toBe('\u001b[1ma\u001b[31mb\u001b[39m\u001b[22m\n\u001b[1mc\u001b[22m');
    expect(paint(false).boldRed('x')).toBe('x');
  });
});

describe('the log of a CI system', () => {
  const commands = /^\s*::|##\[|##vso\[|##teamcity\[/m;

  it.each([
    '::error::x',
    '  \t::add-mask::x',
    'a\n::set-output name=x::y',
    'a ##[error]b',
    '##[add-mask]FAIL',
    '##vso[task.complete]',
    '##teamcity[message]',
    ':::error',
    '###[x',
  ])('holds no command made of %j', (text) => {
    for (const name of ['GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION', 'CI']) {
      expect(say(text, { env: { [name]: 'true' } })).not.toMatch(commands);
    }
    expect(say(text)).toBe(text);
  });

  it('holds none that comes in parts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(':', '::', '#', '##', '[', 'vso[', ' ', '\n', 'x', '\u001b'), {
          maxLength: 40,
        }),
        (parts) => {
          const text = written((output) => parts.forEach((part) => output.write(part)), GITHUB);
          expect(text).not.toMatch(commands);
        },
      ),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('holds our own commands, with nothing in them that ends them', () => {
    const text = written((output) => {
      output.write('begun');
      output.command(
        'error',
        { file: 'a:b,c.json', line: 3, title: undefined },
        'x\n::stop\r%\u2028',
      );
    }, GITHUB);
    expect(text).toBe('begun\n::error file=a%3Ab%2Cc.json,line=3::x%0A::stop%0D%25·\n');
  });
});

describe('JSON', () => {
  it('keeps its values and holds no command and no hostile character', () => {
    const value = {
      a: '##[add-mask]FAIL \u001b[31m \u009b \u202e \u2028 \u{e0041}',
      b: ['::error'],
    };
    const text = written((output) => output.json(value), GITHUB);
    expect(JSON.parse(text)).toEqual(value);
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(text).not.toMatch(/##\[|[\u001b\u009b\u202e\u2028]|\u{e0041}/u);
  });
});
