import { RopeEvalError } from '../errors.js';

/** A length as a policy writes it: tokens, a multiple of the trained window, or the target. */
export type Length =
  | { readonly kind: 'tokens'; readonly tokens: number }
  | { readonly kind: 'multiple'; readonly multiple: number }
  | { readonly kind: 'target' };

/** What a length is resolved against. */
export interface LengthContext {
  /** Tokens. */
  readonly trainedWindow: number;
  /** Tokens: the length that the gate is asked about. */
  readonly target: number;
}

/** `131072`, `128k` (k = 1024), `4x`, `target`. */
const RE_LENGTH = /^(?:(?<target>target)|(?<number>\d+(?:\.\d+)?)(?<unit>k|x)?)$/;

export function parseLength(text: string, path: string): Length {
  const groups = RE_LENGTH.exec(text)?.groups;
  if (!groups) {
    throw new RopeEvalError(
      `'${text}' is not a length`,
      2,
      'bad_length',
      path,
      'Write tokens (131072), thousands of 1024 (128k), a multiple of the trained window (4x), or target.',
    );
  }
  if (groups['target']) return { kind: 'target' };
  const value = Number(groups['number']);
  if (value <= 0) {
    throw new RopeEvalError(`length '${text}' must be above 0`, 2, 'bad_length', path);
  }
  if (groups['unit'] === 'x') return { kind: 'multiple', multiple: value };
  return { kind: 'tokens', tokens: Math.round(groups['unit'] === 'k' ? value * 1024 : value) };
}

/** The length in tokens. */
export function lengthInTokens(length: Length, context: LengthContext): number {
  if (length.kind === 'tokens') return length.tokens;
  if (length.kind === 'target') return context.target;
  return Math.round(length.multiple * context.trainedWindow);
}

export function formatLength(length: Length): string {
  if (length.kind === 'tokens') return String(length.tokens);
  return length.kind === 'target' ? 'target' : `${length.multiple}x`;
}
