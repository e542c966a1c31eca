import { z } from 'zod';
import type { ReadonlyDeep } from '../../json/parse.js';
import { list, tokens } from '../../text.js';
import { defineSubject, digestStart } from '../entry.js';

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

export type OnnxDecoderReport = z.infer<typeof OnnxDecoderSchema>;

export const onnxDecoder = defineSubject({
  schema: OnnxDecoderSchema,
  title: 'Measured: on your own weights',
  honesty:
    'Losses and facts are those of your own weights, on the texts and facts of this tool; your own texts may lose more or less.',
  standsIn: false,
  credit: ({ name, weightsSha256 }) => `Decoder ${name}, weights ${digestStart(weightsSha256)}`,
  who: ({ name, textTokens }) =>
    `Measured on ${name} itself, on ${tokens(textTokens)} tokens of text`,
  describe({ name, producer, forms, precision, editDifference, textTokens, textRepeats }) {
    const again = textRepeats ? ', read again where a context is longer' : '';
    return (
      `Your own decoder ${name} (${producer || 'unknown exporter'}, ${list(forms)}, ${precision}), ` +
      `its rotary tables replaced: with its own table the edited graph differs from the original by ` +
      `${editDifference.toPrecision(1)} nats at most. Texts of ${tokens(textTokens)} tokens${again}.`
    );
  },
  caveat: () => '',
  argument: ({ argument }) => argument,
  conditions: ({ name, weightsSha256, graphSha256, textSha256 }) => ({
    model: `${name} ${digestStart(weightsSha256)}…`,
    graph: `${digestStart(graphSha256)}…`,
    // Older reports do not name their texts.
    texts: textSha256 === undefined ? undefined : `SHA-256 ${digestStart(textSha256)}…`,
    heldPairs: 0,
    lossScale: 1,
  }),
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
