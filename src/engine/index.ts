export { loadFamily, loadLanguage, nearestMember } from './family.js';
export type { Family, Member } from './family.js';
export { cosSin, sharedTable } from './rotary.js';
export { openSession } from './session.js';
export { openProcess } from './process.js';
export { describeRuntime } from './describe.js';
export type { Batch, Engine, EngineInfo, EngineRequest, RotaryInputs, Scores } from './types.js';
