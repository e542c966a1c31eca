import { z } from 'zod';
import { fixed, percent, tokens } from '../../text.js';
import { defineSubject, digestStart, type RepresentedModel } from '../entry.js';

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

export type ProbeModelReport = z.infer<typeof ProbeModelSchema>;

export const probeModel = defineSubject({
  schema: ProbeModelSchema,
  title: 'Probed: on the bundled probe model',
  honesty:
    'The probe model ranks RoPE geometry; it does not predict your checkpoint’s absolute accuracy.',
  standsIn: true,
  credit: ({ name, weightsSha256 }) => `Probe model ${name}, weights ${digestStart(weightsSha256)}`,
  who: ({ name }) => `Probe ${name} ranks geometry, not your checkpoint’s accuracy`,
  describe(entry, model) {
    const own = fixed(model.criticalFraction, 3);
    const fit = entry.inRange
      ? `this model has ${own}`
      : `this model has ${own}, outside the range of the bundled ones: read the results with care`;
    return (
      `Probe model ${entry.name}: critical fraction ${fixed(entry.criticalFraction, 3)} ` +
      `(${fit}), ${heldWords(entry.heldPairs)}${rotaryWords(entry, model)}trained on ${tokens(entry.window)} tokens.`
    );
  },
  caveat: ({ inRange }) =>
    inRange
      ? ''
      : 'No bundled probe model has such a geometry: try the advice on the model itself.',
  argument: () => undefined,
  conditions: ({ name, weightsSha256, graphSha256, heldPairs = 0, lossScale = 1 }) => ({
    model: `${name} ${digestStart(weightsSha256)}…`,
    graph: `${digestStart(graphSha256)}…`,
    texts: undefined,
    heldPairs,
    lossScale,
  }),
});

/** Explains the pairs that are held because the model has none as slow as the probe's slowest. */
function heldWords(pairs = 0): string {
  if (pairs === 0) return '';
  const slowest = pairs === 1 ? 'slowest pair' : `${pairs} slowest pairs`;
  return `its ${slowest}, slower than any of this model, held within the trained angles, `;
}

/** Says what share of a head rotates, if it is not all of it. */
function rotaryWords(
  { rotaryShare: probe = 1 }: ProbeModelReport,
  model: RepresentedModel,
): string {
  const { rotaryShare: own = 1 } = model;
  if (probe === 1 && own === 1) return '';
  return `${percent(probe)} of each head rotating (here ${percent(own)}), `;
}
