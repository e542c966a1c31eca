import { parseCandidates } from './candidates/definition.js';
import { resolveCandidate } from './candidates/resolve.js';
import { RopeEvalError } from './errors.js';
import { defined } from './json/parse.js';
import { chooseReference, referenceSoftmaxScale } from './model/evidence.js';
import { isNotRope, readConfig } from './model/read-model.js';
import { checkOptions, INSPECT_OPTIONS, type InspectOptions } from './options.js';
import { inspectData, inspectNotRope } from './report/inspect/data.js';
import type { InspectData } from './report/schema/inspect.js';

/**
 * Computes the exact geometry of a config.json from its numbers alone, without any runtime.
 *
 * @param config the text of a config.json
 * @throws RopeEvalError for a config or an option that has no meaning
 */
export function inspect(config: string, options: InspectOptions = {}): InspectData {
  checkOptions(options, INSPECT_OPTIONS);
  const { candidate, reference, trainedWindow, ...data } = options;
  const { source } = data;
  const { model } = readConfig(config, defined({ source }));
  if (isNotRope(model)) return inspectNotRope(model, source);
  const weights = chooseReference(model, defined({ reference, trainedWindow }));
  if (candidate === undefined) return inspectData(model, weights, data);
  const [definition, ...more] = parseCandidates(candidate);
  if (definition === undefined || more.length > 0) {
    throw new RopeEvalError('too_many_candidates', {
      option: 'candidate',
      problem: 'give one scaling',
    });
  }
  const { label, specs, softmaxScaleRatio } = resolveCandidate(definition, model, weights);
  const softmaxScale = softmaxScaleRatio * referenceSoftmaxScale(model, weights);
  return inspectData(model, weights, { ...data, candidate: { label, specs, softmaxScale } });
}
