import { z } from 'zod';
import type { ReadonlyDeep } from '../json/parse.js';

/** The bundled probe model, which stands in for the user's model. */
const ProbeModelSchema = z.strictObject({
  kind: z.literal('probe-model'),
  name: z.string(),
  criticalFraction: z.number(),
  rotaryShare: z.number().optional().describe('Share of each head that rotates.'),
  window: z.number().int(),
  theta: z.number(),
  seed: z.number().int(),
  weightsSha256: z.string(),
  graphSha256: z.string(),
  inRange: z.boolean().describe("false: the model's critical fraction lies outside the family."),
  heldPairs: z
    .number()
    .int()
    .optional()
    .describe(
      'Pairs of the probe that are slower than any of the model: held within their trained angles. Since 1.6.',
    ),
  lossScale: z
    .number()
    .optional()
    .describe('Nats in this report to one of the probe language; before 1.4: 1.'),
});

/** The user's own weights, as an ONNX decoder. */
const OnnxDecoderSchema = z.strictObject({
  kind: z.literal('onnx-decoder'),
  name: z.string().describe('The model file.'),
  argument: z.string().optional().describe('Options of a shell that give it. Since 2.2.'),
  window: z.number().int(),
  weightsSha256: z.string().describe('Of the sizes and of samples of all its files.'),
  graphSha256: z.string(),
  producer: z.string(),
  forms: z.array(z.string()).describe('How the exporter wrote its rotary tables.'),
  precision: z.enum(['float32', 'float16', '4-bit']),
  editDifference: z
    .number()
    .describe('Largest difference in log-probability between the edited graph and the original.'),
  chunk: z.number().int().optional().describe('Tokens that are read at a time.'),
  textTokens: z.number().int().describe('Tokens of the texts that it is asked on.'),
  textSha256: z.string().optional().describe('Of their tokens. Since 2.1.'),
  textRepeats: z.boolean().describe('Contexts are longer than the texts, which are read again.'),
});

/** A rotary table found in an export, beside the one that a config gives the same layers. */
export const ExportedTableSchema = z.strictObject({
  layerType: z.string(),
  layers: z.array(z.number().int()).describe('Indices; empty where the graph does not name them.'),
  form: z.string().describe('How the exporter wrote it.'),
  positions: z.number().int().describe('Rows that were compared.'),
  invFreq: z.array(z.number()).describe('Radians per token, read off its cosines and sines.'),
  attentionScaling: z.number(),
  difference: z
    .number()
    .describe('Largest difference in cos and sin; 0 where rounding explains all of them.'),
  same: z.boolean(),
  looksLike: z.literal('unscaled').nullable(),
});

/** An exported graph, described by its tables alone. */
export const ExportSchema = z.strictObject({
  name: z.string().describe('The model file.'),
  producer: z.string(),
  tables: z.array(ExportedTableSchema),
});

export type ExportReport = ReadonlyDeep<z.infer<typeof ExportSchema>>;
export type ExportedTable = ExportReport['tables'][number];

/** The subject that answered. A new kind of subject is one variant. */
export const SubjectSchema = z.discriminatedUnion('kind', [ProbeModelSchema, OnnxDecoderSchema]);

export type SubjectReport = z.infer<typeof SubjectSchema>;
export type ProbeModelReport = z.infer<typeof ProbeModelSchema>;
export type OnnxDecoderReport = z.infer<typeof OnnxDecoderSchema>;

/** Whether a small model stood in for the user's. */
export function isProbe(subject: SubjectReport): subject is ProbeModelReport {
  return subject.kind === 'probe-model';
}
