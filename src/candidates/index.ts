export { defaultCandidates } from './default-set.js';
export { FACTOR_METHODS, joinCandidates, parseCandidates } from './parse.js';
export { longropeBlock, resolveCandidate, type ResolveOptions } from './resolve.js';
export type { CandidateDefinition, FactorMethod, ResolvedCandidate } from './types.js';
