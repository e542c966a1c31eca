import { readFileSync } from 'node:fs';
import { parseCandidates, resolveCandidate } from '../../src/candidates/index.js';
import { isNotRope, parseConfig, readModel } from '../../src/config/index.js';
import { chooseReference } from '../../src/config/reference.js';
import { analyseGeometry } from '../../src/geometry/analyse.js';
import type { GeometryReport } from '../../src/geometry/geometry-report.js';

/** The exact part of a report on Qwen2.5-7B. */
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
