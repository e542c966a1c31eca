export { loadEncodings, ownTable } from './encodings.js';
export type { EncodingsCard, RopeTwin, Twin } from './encodings.js';
export {
  chooseMember,
  loadFamily,
  loadLanguage,
  neighboursOf,
  type Likeness,
  type Range,
} from './family.js';
export type { Family, Member } from './family.js';
export { cachedTable, cosSin, sharedTable } from './rotary.js';
export { openSession } from './session.js';
export { opener, openPool } from './pool.js';
export { openProcess } from './process.js';
export { describeRuntime } from './describe.js';
export type { Batch, Engine, EngineInfo, EngineRequest, RotaryInputs, Scores } from './types.js';
