import { z } from 'zod';
import { DEVICES, PRESET_NAMES, PROVIDERS } from '../probes/presets.js';
import { FindingSchema, LengthSchema, NeedleSchema, ReachSchema } from '../report/schema/report.js';
import { ENCODING_NAMES } from './registry.js';

/** Additive changes keep the major version, as in the main report. */
export const ENCODINGS_SCHEMA_VERSION = '1.0';

/** The results of a position encoding on its twin of the probe model, or of RoPE with a scaling. */
export const EncodingRowSchema = z.strictObject({
  label: z.string().describe('`alibi`, `rope`, `rope yarn:4`'),
  encoding: z.enum(['rope', ...ENCODING_NAMES]),
  scaling: z.string().nullable().describe('RoPE only; null: unscaled.'),
  model: z.string().describe('Name of the probe model.'),
  weightsSha256: z.string(),
  entries: z
    .number()
    .int()
    .nullable()
    .describe('Positions that the encoding has an entry for; null: any number.'),
  needle: z
    .array(NeedleSchema)
    .describe(
      'Lengths without an entry are left out. relative, lossChange: against the same weights, ' +
        'unscaled, within one window.',
    ),
  reach: ReachSchema.nullable().describe('null: no better than chance at 1x already.'),
});

/** The output of `rope-eval encodings`, and of the default command for a model without RoPE. */
export const EncodingsSchema = z.strictObject({
  schemaVersion: z.literal(ENCODINGS_SCHEMA_VERSION),
  tool: z.strictObject({ name: z.literal('rope-eval'), version: z.string() }),
  createdAt: z.string(),
  /** `interrupted`: only the finished rows are there. */
  status: z.enum(['complete', 'interrupted']),
  config: z
    .strictObject({
      source: z.string(),
      sha256: z.string(),
      modelType: z.string(),
      architecture: z.string().nullable(),
      encoding: z.string().describe('What the model uses in place of RoPE.'),
      twin: z.string().nullable().describe('Label of the row that stands for it; null: none does.'),
    })
    .optional()
    .describe('Where the comparison was made for a model without RoPE.'),
  findings: z.array(FindingSchema),
  settings: z.strictObject({
    preset: z.enum(PRESET_NAMES),
    seed: z.number().int(),
    contexts: z.strictObject({ long: z.number().int(), longText: z.number().int() }),
    threads: z.number().int(),
    deviceAsked: z.enum(DEVICES),
    device: z.enum(PROVIDERS).nullable().describe('null: nothing was run.'),
    ladder: z.array(LengthSchema).describe("Lengths in the probe model's own tokens."),
  }),
  graphSha256: z.string(),
  runtime: z
    .strictObject({ onnxruntime: z.string(), node: z.string(), platform: z.string() })
    .nullable(),
  chance: z.number().describe('Accuracy of guessing a value that occurs in the context.'),
  rows: z.array(EncodingRowSchema),
  timings: z.strictObject({ totalMs: z.number(), tokens: z.number() }),
});

export type EncodingRow = z.infer<typeof EncodingRowSchema>;
export type EncodingsReport = z.infer<typeof EncodingsSchema>;
