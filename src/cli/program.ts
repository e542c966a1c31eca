import { Command } from 'commander';
import { columnsOf, isLively } from './terminal.js';
import { TOOL_VERSION } from '../version.js';
import { addCompletion } from './completion.js';
import { evaluateCommand } from './commands/evaluate.js';
import { refuseExcessArguments } from './excess-arguments.js';
import { refuseMisplacedOptions } from './misplaced-options.js';
import { COMMANDS } from './registry.js';
import type { CommandContext } from './command.js';

const EPILOGUE = `
Exit codes: 0 done, or the gate passed; 1 gate failed or unverifiable, --optimize found nothing that
passes, or fingerprint --diff a difference; 2 usage, config or policy is wrong; 3 the runtime or
device failed, or reports are not comparable; 130 interrupted.

Examples:
  rope-eval config.json                       the default candidates at 4x the trained window
  rope-eval config.json --target 128k         at 131,072 tokens
  rope-eval config.json --factor 2,4          the default candidates of both factors, at 4x
  rope-eval config.json --candidates yarn:4,dynamic:4 -o report.html
  cat config.json | rope-eval - --json        the report as JSON on standard output
`;

/** The whole command line, bound to one environment. */
export function createProgram(context: CommandContext): Command {
  const { stdout, stderr, env } = context.environment;
  const program = new Command('rope-eval')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => columnsOf(stdout),
      getErrHelpWidth: () => columnsOf(stderr),
      getOutHasColors: () => isLively(stdout, env),
      getErrHasColors: () => isLively(stderr, env),
    })
    .description(
      'Compares RoPE scalings for a longer context: reads a model’s config.json, applies each ' +
        'candidate scaling to a small bundled model, and measures what it costs at short lengths ' +
        'and how far it reaches. Downloads nothing.',
    )
    .version(TOOL_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    // `rope-eval inspect x --json`: --json belongs to inspect, not to the default command.
    .enablePositionalOptions()
    .showHelpAfterError('(rope-eval --help shows what it takes)')
    .addHelpText('after', EPILOGUE);
  evaluateCommand(program, context);
  refuseExcessArguments(program);
  for (const add of COMMANDS) add(program, context);
  for (const command of program.commands) {
    command.showHelpAfterError(`(rope-eval ${command.name()} --help shows what it takes)`);
  }
  refuseMisplacedOptions(program);
  addCompletion(program, context.environment);
  return program;
}
