import type { ReportLengths } from '../format.js';
import type { Section } from '../sections/section.js';
import { decomposition } from './decomposition.js';
import { offset } from './offset.js';
import type { ProbedRow } from './probe.js';
import { serving } from './serving.js';

/** What candidates may be asked beside the short and the long lengths, in the report's order. */
const REPORTED = Object.freeze([decomposition, serving, offset] as const);

type Together<Shape> = (Shape extends unknown ? (shape: Shape) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** The keys of all probes in a candidate's row. */
export const PROBE_SHAPE = Object.assign({}, ...REPORTED.map(({ shape }) => shape)) as Together<
  (typeof REPORTED)[number]['shape']
>;

/** The sections of all probes. */
export function probeSections(
  rows: readonly ProbedRow<typeof PROBE_SHAPE>[],
  report: ReportLengths,
): readonly Section[] {
  return REPORTED.flatMap(({ sections }) => sections(rows, report));
}
