import { format } from 'prettier';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { ENCODINGS_SCHEMA_VERSION, EncodingsSchema } from '../../src/encodings/schema.js';
import { COMPARE_SCHEMA_VERSION, ComparisonSchema } from '../../src/gate/baseline.js';
import { CHECK_SCHEMA_VERSION, CheckSchema } from '../../src/gate/judge.js';
import { OptimizationSchema, OPTIMIZE_SCHEMA_VERSION } from '../../src/gate/optimize.js';
import { SWEEP_SCHEMA_VERSION, SweepSchema } from '../../src/gate/sweep.js';
import { InspectSchema } from '../../src/report/schema/inspect.js';
import { REPORT_SCHEMA_VERSION, ReportSchema } from '../../src/report/schema/report.js';
import { INSPECT_SCHEMA_VERSION } from '../../src/version.js';

/**
 * One file per version. A schema that changes must raise its version (docs/json.md), which makes a
 * new file. `npx vitest run test/gate/schema-versions.test.ts -u` writes it.
 */
it.each([
  ['check', CHECK_SCHEMA_VERSION, CheckSchema],
  ['compare', COMPARE_SCHEMA_VERSION, ComparisonSchema],
  ['encodings', ENCODINGS_SCHEMA_VERSION, EncodingsSchema],
  ['inspect', INSPECT_SCHEMA_VERSION, InspectSchema],
  ['optimize', OPTIMIZE_SCHEMA_VERSION, OptimizationSchema],
  ['report', REPORT_SCHEMA_VERSION, ReportSchema],
  ['sweep', SWEEP_SCHEMA_VERSION, SweepSchema],
])('the schema of %s is that of version %s', async (name, version, schema) => {
  // The report has its own version and file.
  const options = name === 'report' ? {} : { override: withoutReport };
  const text = JSON.stringify(z.toJSONSchema(schema, options));
  const file = `../../schemas/${name}-${version}.schema.json`;
  await expect(await format(text, { parser: 'json', printWidth: 100 })).toMatchFileSnapshot(file);
});

function withoutReport({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { properties } = jsonSchema;
  if (!properties?.['subject'] || !properties['candidates']) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  jsonSchema.description = 'A report: rope-eval schema report.';
}
