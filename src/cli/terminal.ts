import { Chalk, type ChalkInstance } from 'chalk';
import type { Environment, OutputStream } from './environment.js';

/** Width where none is known: pipes, files, CI logs. */
const DEFAULT_COLUMNS = 100;

/**
 * Colour and moving text are for people at a terminal. Off with a non-empty `NO_COLOR`
 * (no-color.org), with `TERM=dumb`, and in CI, whose logs keep every frame.
 */
export function isLively(stream: OutputStream, env: Environment['env']): boolean {
  if (stream.isTTY !== true) return false;
  return !env['NO_COLOR'] && env['TERM'] !== 'dumb' && !env['CI'];
}

/** Width to print for; narrower terminals than 40 columns get lines that wrap. */
export function columnsOf(stream: OutputStream): number {
  return Math.max(40, stream.columns ?? DEFAULT_COLUMNS);
}

export function paletteFor(stream: OutputStream, env: Environment['env']): ChalkInstance {
  return new Chalk({ level: isLively(stream, env) ? 1 : 0 });
}
