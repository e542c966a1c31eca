/**
 * The library: what the commands do, without a command line.
 *
 * `evaluate` compares scalings on a bundled probe model; `inspect` answers from the config alone.
 * Both take the text of a config.json and throw `RopeEvalError` for what the caller can fix. The
 * only files of the caller that they read are those of the ONNX decoder that `model` names.
 */
export { parseCandidates } from './candidates/definition.js';
export { type CandidateDefinition } from './candidates/definition.js';
export { compareEncodings, type CompareEncodings } from './encodings/compare.js';
export { EXIT, RopeEvalError } from './errors.js';
export { evaluate } from './evaluate.js';
export {
  type CompareEncodingsOptions,
  type Evaluate,
  type EvaluateOptions,
  type InspectOptions,
  type Progress,
} from './options.js';
export { type Finding, type SavedFinding, type Severity, wordFinding } from './findings/index.js';
export { PolicySchema, type PolicyFile } from './gate/policy.js';
export { inspect } from './inspect.js';
export {
  ENCODINGS_SCHEMA_VERSION,
  EncodingsSchema,
  type EncodingRow,
  type EncodingsReport,
} from './encodings/schema.js';
export { type Device, type Preset } from './probes/presets.js';
export { InspectSchema, type InspectData, type InspectLayerType } from './report/schema/inspect.js';
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
} from './report/schema/report.js';
export { INSPECT_SCHEMA_VERSION } from './version.js';
