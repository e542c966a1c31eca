import { Argument } from 'commander';
import type { ZodType } from 'zod';
import type { CommandModule } from '../options.js';

/** The schemas, each loaded when it is asked for. */
const SCHEMAS: Readonly<Record<string, () => Promise<ZodType>>> = Object.freeze({
  report: async () => (await import('../../report/schema/report.js')).ReportSchema,
  inspect: async () => (await import('../../report/schema/inspect.js')).InspectSchema,
  check: async () => (await import('../../gate/judge.js')).CheckSchema,
  sweep: async () => (await import('../../gate/sweep.js')).SweepSchema,
  encodings: async () => (await import('../../encodings/schema.js')).EncodingsSchema,
  compare: async () => (await import('../../gate/compare.js')).ComparisonSchema,
  optimize: async () => (await import('../../gate/optimize.js')).OptimizationSchema,
  policy: async () => (await import('../../gate/policy.js')).PolicySchema,
});

export const schemaCommand: CommandModule = (program, { environment }) => {
  program
    .command('schema')
    .description(
      'print a JSON Schema: of reports, of other JSON that commands print, of a gate policy',
    )
    .addArgument(
      new Argument('[name]', 'which one').choices(Object.keys(SCHEMAS)).default('report'),
    )
    .action(async (name: string) => {
      const load = SCHEMAS[name];
      if (load === undefined) throw new TypeError(`no schema ${name}`);
      const { z } = await import('zod');
      const schema = z.toJSONSchema(await load());
      environment.stdout.json(schema);
    });
};
