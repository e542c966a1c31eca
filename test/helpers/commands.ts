import { execFileSync } from 'node:child_process';

/** Splits a command into words as a shell does. */
export function wordsOf(command: string): string[] {
  return execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

/** The words after the name of a program, of every command that a text prints up to a line's end. */
export function commandsIn(text: string, program = 'rope-eval'): readonly (readonly string[])[] {
  const commands = text.matchAll(new RegExp(`\\b${program} (.*)$`, 'gm'));
  return [...commands].map(([, words = '']) => wordsOf(words));
}
