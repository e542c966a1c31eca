/**
 * The library: what the commands do, without a command line.
 *
 * `evaluate` compares scalings on a bundled probe model; `inspect` answers from the config alone.
 * Both take the text of a config.json, touch no files and throw `RopeEvalError` for what a caller
 * can put right.
 */
export { parseCandidates, type CandidateDefinition } from './candidates/index.js';
export {
  compareEncodings,
  type CompareEncodings,
  type CompareEncodingsOptions,
} from './compare-encodings.js';
export { EXIT, RopeEvalError } from './errors.js';
export { evaluate } from './evaluate.js';
export type { Device, Evaluate, EvaluateOptions, Preset, Progress } from './evaluate-types.js';
export { wordFinding } from './finding-catalogue/index.js';
export type { Finding, Severity } from './findings.js';
export { PolicySchema, type PolicyFile } from './gate/policy-schema.js';
export { inspect, type InspectOptions } from './inspect.js';
export {
  ENCODINGS_SCHEMA_VERSION,
  EncodingsSchema,
  type EncodingRow,
  type EncodingsReport,
} from './report/encodings-schema.js';
export { InspectSchema } from './report/inspect-schema.js';
export {
  INSPECT_SCHEMA_VERSION,
  type InspectData,
  type InspectLayerType,
} from './report/inspect-types.js';
export {
  REPORT_SCHEMA_VERSION,
  ReportSchema,
  VOLATILE_KEYS,
  type CandidateReport,
  type Interval,
  type Needle,
  type Reach,
  type Report,
  type Short,
  type Verdict,
} from './report/schema.js';
