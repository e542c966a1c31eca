import { RopeEvalError } from '../errors.js';

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
  throw new RopeEvalError(`candidate ${candidate}: ${problem}`, 2, kind, candidate, hint);
}
