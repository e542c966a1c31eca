import { format } from 'prettier';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { CheckSchema, CHECK_SCHEMA_VERSION } from '../../src/gate/check-schema.js';
import { OptimizationSchema, OPTIMIZE_SCHEMA_VERSION } from '../../src/gate/optimize-schema.js';
import { SweepSchema, SWEEP_SCHEMA_VERSION } from '../../src/gate/sweep-schema.js';

/**
 * One file a version: a schema that changes must raise its version (docs/json.md), which makes a
 * new file. `npx vitest run test/gate/schema-versions.test.ts -u` writes it.
 */
it.each([
  ['check', CHECK_SCHEMA_VERSION, CheckSchema],
  ['optimize', OPTIMIZE_SCHEMA_VERSION, OptimizationSchema],
  ['sweep', SWEEP_SCHEMA_VERSION, SweepSchema],
])('the schema of %s is that of version %s', async (name, version, schema) => {
  // The report has a version and a file of its own.
  const text = JSON.stringify(z.toJSONSchema(schema, { override: withoutReport }));
  const file = `../../schemas/${name}-${version}.schema.json`;
  await expect(await format(text, { parser: 'json', printWidth: 100 })).toMatchFileSnapshot(file);
});

function withoutReport({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { properties } = jsonSchema;
  if (!properties?.['probeModel'] || !properties['candidates']) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  jsonSchema.description = 'A report: rope-eval schema report.';
}
