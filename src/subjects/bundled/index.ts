export { loadEncodings, ownTable } from '../../encodings/twins.js';
export { type EncodingsCard, type RopeTwin, type Twin } from '../../encodings/twins.js';
export { chooseMember, loadFamily, loadLanguage, neighboursOf, type Likeness } from './family.js';
export { type Family, type Member } from './family.js';
export { cachedTable, cosSin, sharedTable } from './engine.js';
export { openSession } from './session.js';
export { opener, openPool } from './pool.js';
export { openProcess } from './pool.js';
export { describeRuntime } from './describe.js';
export {
  type Batch,
  type ProbeEngine,
  type EngineInfo,
  type EngineRequest,
  type RotaryInputs,
  type Scores,
} from './engine.js';
