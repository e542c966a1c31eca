/** The commands that read saved reports: `compare` and `merge`. */

import { resolve } from 'node:path';
import { EXIT, option, type Words, words } from '../../errors.js';
import { quote } from '../../text.js';
import type { Environment } from '../environment.js';
import { inShell } from '../failure.js';
import type { CommandModule } from '../options.js';
import { jsonText } from '../streams.js';

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
        { COMPARE_SCHEMA_VERSION: schemaVersion, compareReports, parseReport },
        { requireTextFile },
      ] = await Promise.all([import('../../gate/baseline.js'), import('../inputs.js')]);
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
        import('../gate-text.js'),
        import('../../report/terminal.js'),
      ]);
      stdout.write(textOf(compareSections(comparison, one), contextOf(stdout)));
    });
};

interface Flags {
  readonly output?: string;
}

export const mergeCommand: CommandModule = (program, { environment, exitWith }) => {
  program
    .command('merge')
    .description('join the parts that sweep --shard wrote')
    .argument('<parts...>', 'the files')
    .option('-o, --output <file>', 'where the whole goes; default: standard output')
    .action(async (parts: string[], flags: Flags) => {
      exitWith(await merge(parts, flags, environment));
    });
};

async function merge(
  paths: readonly string[],
  flags: Flags,
  environment: Environment,
): Promise<number> {
  const [
    { mergeSweeps, parseSweep },
    { requireTextFile },
    { outputsOf, protectInputs, writeAtomically },
  ] = await Promise.all([
    import('../../gate/sweep.js'),
    import('../inputs.js'),
    import('../files.js'),
  ]);
  await protectInputs(
    outputsOf(flags.output === undefined ? [] : [flags.output]),
    paths.map((path) => ({ name: 'a part', path })),
    environment,
  );
  const parts = await Promise.all(
    paths.map(async (source) => ({
      source,
      sweep: parseSweep(await requireTextFile(source, environment), source),
    })),
  );
  const { sweep, missing, interrupted } = mergeSweeps(parts);
  if (flags.output === undefined) environment.stdout.json(sweep);
  else await writeAtomically(resolve(environment.cwd, flags.output), jsonText(sweep));
  const say = (why: Words): void => {
    environment.stderr.write(`error: incomplete: ${inShell(why)}\n`);
  };
  if (missing.length > 0) {
    const names = missing.map((shard) => `${shard}/${sweep.shards.count}`).join(', ');
    say(words`shard ${names} is missing; run sweep ${option('shard')} and give its file too`);
  }
  for (const source of interrupted) {
    say(words`${source} was interrupted; run its sweep ${option('shard')} again`);
  }
  return missing.length + interrupted.length === 0 ? EXIT.ok : EXIT.usage;
}
