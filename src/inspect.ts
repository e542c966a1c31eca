import { checkOptions, INSPECT_OPTIONS } from './check-options.js';
import { parseCandidates, resolveCandidate } from './candidates/index.js';
import { isNotRope, parseConfig, readModel } from './config/index.js';
import {
  chooseReference,
  referenceSoftmaxScale,
  type ReferenceOptions,
} from './config/reference.js';
import { EXIT, RopeEvalError } from './errors.js';
import {
  inspectData,
  inspectNotRope,
  type InspectOptions as DataOptions,
} from './report/inspect.js';
import type { InspectData } from './report/inspect-types.js';

export interface InspectOptions extends Omit<DataOptions, 'candidate'>, ReferenceOptions {
  /** Show another scaling in place of the config's, e.g. `yarn:4`, or a JSON object as text. */
  readonly candidate?: string;
}

/**
 * Exact geometry of a config.json: from the numbers in it alone, without any runtime.
 *
 * @param config the text of a config.json
 * @throws RopeEvalError for a config or an option that has no meaning
 */
export function inspect(config: string, options: InspectOptions = {}): InspectData {
  checkOptions(options, INSPECT_OPTIONS);
  const { candidate, reference, trainedWindow, ...data } = options;
  const { source } = data;
  const model = readModel(parseConfig(config, source === undefined ? {} : { source }));
  if (isNotRope(model)) return inspectNotRope(model, source);
  const weights = chooseReference(model, {
    ...(reference === undefined ? {} : { reference }),
    ...(trainedWindow === undefined ? {} : { trainedWindow }),
  });
  if (candidate === undefined) return inspectData(model, weights, data);
  const [definition, ...more] = parseCandidates(candidate);
  if (definition === undefined || more.length > 0) {
    throw new RopeEvalError('candidate: give one scaling', EXIT.usage, 'too_many_candidates');
  }
  const { label, specs, softmaxScaleRatio } = resolveCandidate(definition, model, weights);
  const softmaxScale = softmaxScaleRatio * referenceSoftmaxScale(model, weights);
  return inspectData(model, weights, { ...data, candidate: { label, specs, softmaxScale } });
}
