import { readFileSync } from 'node:fs';
import { parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { analyseGeometry } from '../../src/geometry/analyse.js';
import type { GeometryReport } from '../../src/geometry/schema.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';

/** Makes the exact part of a report on Qwen2.5-7B. */
export function qwenGeometry(candidates: string): GeometryReport {
  const model = readModel(parseConfig(readFileSync('configs/Qwen2.5-7B-Instruct.json', 'utf8')));
  if (isNotRope(model)) throw new Error('the fixture uses RoPE');
  const reference = chooseReference(model);
  const resolved = parseCandidates(candidates).map((one) =>
    resolveCandidate(one, model, reference),
  );
  return analyseGeometry(model, reference, resolved, {
    target: 4 * reference.trainedWindow,
    dtype: 'bfloat16',
    bandwidthGBps: null,
  });
}
