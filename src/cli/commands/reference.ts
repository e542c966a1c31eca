/** The commands that print what the tool knows: `explain` and `schema`. */

import { Argument } from 'commander';
import type { ZodType } from 'zod';
import { RopeEvalError } from '../../errors.js';
import type { CommandModule } from '../options.js';

export const explainCommand: CommandModule = (program, { environment }) => {
  program
    .command('explain')
    .description('explain a finding, such as RE012; without a code, list them all')
    .argument('[code]', 'code of a finding, as a report prints it')
    .action(async (code: string | undefined) => {
      const { stdout } = environment;
      const [{ CATALOGUE }, { fill }, { suggest }] = await Promise.all([
        import('../../findings/index.js'),
        import('../../report/terminal.js'),
        import('../../text.js'),
      ]);
      if (code === undefined) {
        const byCode = [...CATALOGUE.values()].sort((a, b) => a.code.localeCompare(b.code));
        for (const entry of byCode) {
          stdout.write(`${entry.code}  ${entry.severity.padEnd(7)}  ${entry.title}\n`);
        }
        return;
      }
      const entry = CATALOGUE.get(fullCode(code));
      if (entry === undefined) throw unknownCode(code, suggest(code, CATALOGUE.keys()));
      const columns = stdout.columns;
      const paragraphs = [
        `${entry.code} ${entry.title} (${entry.severity})`,
        ...entry.explanation.split('\n').map((line) => fill(line, columns, '')),
        fill(`Affects: ${entry.affects}`, columns, ''),
      ];
      stdout.write(`${paragraphs.join('\n\n')}\n`);
    });
};

/** Expands `12`, `re12`, `RE12` and `RE-12` to RE012. */
function fullCode(code: string): string {
  const digits = /^(?:re[-_ ]?)?(\d{1,3})$/i.exec(code.trim())?.[1];
  return digits === undefined ? code.toUpperCase() : `RE${digits.padStart(3, '0')}`;
}

function unknownCode(code: string, nearest: string | undefined): RopeEvalError {
  return new RopeEvalError('unknown_code', {
    problem: `no finding has the code ${code}`,
    hint:
      nearest === undefined
        ? '`rope-eval explain` lists them all.'
        : `Did you mean ${nearest}? \`rope-eval explain\` lists them all.`,
  });
}

/** The schemas, each loaded when it is asked for. */
const SCHEMAS: Readonly<Record<string, () => Promise<ZodType>>> = Object.freeze({
  report: async () => (await import('../../report/schema/report.js')).ReportSchema,
  inspect: async () => (await import('../../report/schema/inspect.js')).InspectSchema,
  check: async () => (await import('../../gate/judge.js')).CheckSchema,
  sweep: async () => (await import('../../gate/sweep.js')).SweepSchema,
  encodings: async () => (await import('../../encodings/schema.js')).EncodingsSchema,
  compare: async () => (await import('../../gate/baseline.js')).ComparisonSchema,
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
