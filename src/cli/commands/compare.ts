import { quote } from '../../shell.js';
import type { CommandModule } from '../options.js';

export const compareCommand: CommandModule = (program, { environment }) => {
  program
    .command('compare')
    .description(
      'compare two saved reports, also of different models; the largest clear changes come first',
    )
    .argument('<before>', 'a report saved with -o report.json')
    .argument('<after>', 'another one')
    .option('--json', 'print the comparison as JSON, and nothing else, on standard output')
    .action(async (before: string, after: string, flags: { readonly json?: boolean }) => {
      const [
        { COMPARE_SCHEMA_VERSION: schemaVersion, compareReports },
        { parseReport },
        { requireTextFile },
      ] = await Promise.all([
        import('../../gate/compare.js'),
        import('../../gate/baseline.js'),
        import('../inputs.js'),
      ]);
      const read = async (path: string) =>
        parseReport(
          await requireTextFile(path, environment),
          path,
          `rope-eval check ${quote(after)} --base ${quote(before)}`,
        );
      const [one, other] = [await read(before), await read(after)];
      const comparison = compareReports(one, other, { before, after });
      // If the statuses differ, the comparison itself lists that among the differences.
      if (one.status === other.status && one.status !== 'complete') {
        environment.stderr.write(`both are ${one.status}; only what they finished is compared\n`);
      }
      const { stdout } = environment;
      if (flags.json) {
        stdout.json({ schemaVersion, ...comparison });
        return;
      }
      const [{ compareSections }, { contextOf, textOf }] = await Promise.all([
        import('../compare-text.js'),
        import('../../report/terminal.js'),
      ]);
      stdout.write(textOf(compareSections(comparison, one), contextOf(stdout)));
    });
};
