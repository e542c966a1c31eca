import { EXIT } from '../../errors.js';
import type { RuntimeDescription } from '../../runtime-types.js';
import { TOOL_VERSION } from '../../version.js';
import type { CommandModule } from '../command.js';
import { diagnose, type Check } from '../diagnose.js';
import { columnsOf, paletteFor } from '../terminal.js';

export const doctorCommand: CommandModule = (program, { environment, exitWith }) => {
  program
    .command('doctor')
    .description(
      'check Node, the runtime, the devices and the bundled models, one of which it loads',
    )
    .option('--json', 'print JSON, for a bug report')
    .addHelpText('after', '\nExit code 3 where a line is marked bad.')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { stdout, env } = environment;
      const runtime = await environment.describeRuntime();
      const host = environment.describeHost();
      const checks = diagnose(host, runtime);
      if (json) {
        const facts = { tool: TOOL_VERSION, host, runtime, checks };
        stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
      } else {
        const { fill } = await import('../../report/text/fill.js');
        const paint = paletteFor(stdout, env);
        const marks = {
          ok: paint.green('ok  '),
          note: paint.yellow('note'),
          bad: paint.red('bad '),
        };
        const width = columnsOf(stdout) - 6;
        for (const { state, text, hint } of checks) {
          stdout.write(`${marks[state]}  ${indent(fill(text, width, ''))}\n`);
          if (hint !== undefined) stdout.write(`      ${indent(fill(hint, width, ''))}\n`);
        }
      }
      if (!works(runtime, checks)) exitWith(EXIT.runtime);
    });
};

function works(runtime: RuntimeDescription, checks: readonly Check[]): boolean {
  return runtime.trial.ok && checks.every(({ state }) => state !== 'bad');
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n      ');
}
