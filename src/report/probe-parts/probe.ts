import type { z } from 'zod';
import type { ReportLengths } from '../format.js';
import type { Section } from '../sections/section.js';

/** A candidate's row, as far as it is about a probe. */
export type ProbedRow<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>> & {
  readonly label: string;
};

/** What a report holds of a probe, and how that is drawn. What asks is in `src/evaluation/probes/`. */
export interface ReportedProbe<Shape extends z.ZodRawShape> {
  /** Its keys in a candidate's row. */
  readonly shape: Shape;
  /** @param rows of the candidates, the reference first */
  readonly sections: (
    rows: readonly ProbedRow<Shape>[],
    report: ReportLengths,
  ) => readonly Section[];
}

/** Freezes a probe's part of the report and infers its keys. */
export function defineReported<Shape extends z.ZodRawShape>(
  probe: ReportedProbe<Shape>,
): ReportedProbe<Shape> {
  return Object.freeze(probe);
}
