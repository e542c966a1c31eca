import { RopeEvalError } from '../errors.js';
import type { Finding } from '../findings/index.js';
import type { UnknownRecord } from '../json/parse.js';
import type { ShorthandRequest } from '../rope/kind.js';
import type { FactorMethod, RopeSpec } from '../rope/registry.js';

/** A scaling that a shorthand names with a factor, such as `yarn:4:beta_fast=16`. */
export interface FactorDefinition extends ShorthandRequest {
  readonly label: string;
  readonly method: FactorMethod;
}

/** A candidate as the user wrote it; plain data. */
export type CandidateDefinition = { readonly label: string } & (
  | Omit<FactorDefinition, 'label'>
  | { readonly method: 'theta'; readonly theta: number }
  | { readonly method: 'none' }
  | { readonly method: 'as-configured' }
  /** A file with longrope's factor lists. */
  | { readonly method: 'longrope'; readonly file: string }
  /** A scaling block, read as transformers would. */
  | { readonly method: 'block'; readonly block: UnknownRecord }
);

/** A candidate on one model. */
export interface ResolvedCandidate {
  readonly label: string;
  readonly definition: CandidateDefinition;
  /** One per layer group, parallel to `model.groups`. */
  readonly specs: readonly RopeSpec[];
  /** Multiplier on q·k, candidate / reference, besides the attention scaling of the tables. */
  readonly softmaxScaleRatio: number;
  readonly findings: readonly Finding[];
}

type CandidateErrorKind =
  | 'unknown_candidate'
  | 'unknown_parameter'
  | 'invalid_value'
  | 'duplicate_candidate'
  | 'invalid_json'
  | 'unsupported_candidate'
  | 'no_candidates';

/** Throws the error of a candidate: exit code 2; the path is the candidate as written. */
export function failCandidate(
  kind: CandidateErrorKind,
  candidate: string,
  problem: string,
  hint = '',
): never {
  throw new RopeEvalError(kind, { candidate, problem, hint });
}
