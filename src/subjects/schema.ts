import { z } from 'zod';
import { probeModel } from './bundled/entry.js';
import type { SubjectKind } from './entry.js';
import { onnxDecoder } from './onnx/entry.js';

/** Every kind of subject that a report may be of, by the name that it has there. */
const SUBJECT_KINDS = Object.freeze({
  'probe-model': probeModel,
  'onnx-decoder': onnxDecoder,
});

type Schema = (typeof SUBJECT_KINDS)[keyof typeof SUBJECT_KINDS]['schema'];

/** The subject that answered. */
export const SubjectSchema = z.discriminatedUnion(
  'kind',
  Object.values(SUBJECT_KINDS).map(({ schema }) => schema) as [Schema, ...Schema[]],
);

export type SubjectReport = z.infer<typeof SubjectSchema>;

/** Returns what sets reports of a subject's kind apart. The cast says that both belong together. */
export function kindOfSubject({ kind }: SubjectReport): SubjectKind<Schema> {
  return SUBJECT_KINDS[kind] as unknown as SubjectKind<Schema>;
}

export { type SubjectConditions } from './entry.js';
export { ExportSchema, type ExportedTable, type ExportReport } from './onnx/entry.js';
