export { BOUNDS } from './bounds.js';
export { type ParseOptions, parseConfig, type UnknownRecord } from './json.js';
export { isNotRope, readModel } from './read-model.js';
export { requireRope } from './require-rope.js';
export { checkSequenceLength } from './sequence-length.js';
export { DIALECTS } from './registry.js';
export type { Dialect } from './dialects/types.js';
export type {
  AttentionShape,
  LayerGroup,
  ModelGeometry,
  NotRope,
  Reference,
  Span,
} from './types.js';
export {
  chooseReference,
  referenceRope,
  type ReferenceOptions,
  referenceSoftmaxScale,
  trainedWindowOf,
} from './reference.js';
export { TRAINED_IN, type TrainedInRow } from './trained-in.js';
export { readWithBlock } from './with-block.js';
