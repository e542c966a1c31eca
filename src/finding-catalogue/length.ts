import type { Finding } from '../findings.js';
import { tokens } from '../tokens.js';

/** A length among a finding's arguments, as people read it: `131,072`. */
export function lengthOf(value: Finding['args'][string] | undefined): string {
  return tokens(Number(value));
}
