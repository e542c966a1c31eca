import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import { Command, Help } from 'commander';
import { RopeEvalError } from '../errors.js';
import { quote, suggest } from '../text.js';
import { TOOL_VERSION } from '../version.js';
import { checkCommand } from './commands/check.js';
import { doctorCommand } from './commands/doctor.js';
import { emitCommand } from './commands/emit.js';
import { encodingsCommand } from './commands/encodings.js';
import { evaluateCommand } from './commands/evaluate.js';
import { fingerprintCommand } from './commands/fingerprint.js';
import { inspectCommand } from './commands/inspect.js';
import { pullRequestCommand } from './commands/pull-request.js';
import { explainCommand, schemaCommand } from './commands/reference.js';
import { compareCommand, mergeCommand } from './commands/reports.js';
import { sweepCommand } from './commands/sweep.js';
import type { Environment } from './environment.js';
import { type CommandContext, type CommandModule, refuseRepeated } from './options.js';

/** Commands besides the default one, in the order of `--help`. A new one is a file and a line. */
const COMMANDS: readonly CommandModule[] = Object.freeze([
  inspectCommand,
  checkCommand,
  pullRequestCommand,
  compareCommand,
  emitCommand,
  sweepCommand,
  mergeCommand,
  fingerprintCommand,
  encodingsCommand,
  explainCommand,
  schemaCommand,
  doctorCommand,
]);

/**
 * Refuses arguments that no command would read. Dropping one silently is worse than an error:
 * `check a.json b.json` would pass a config that nobody looked at.
 *
 * commander could refuse them too, but it cannot explain how to judge two configs, or that the
 * first word of `rope-eval inspct config.json` is a misspelt command.
 */
function refuseExcessArguments(program: Command): void {
  program.allowExcessArguments().hook('preAction', (_, command) => {
    // The arguments of `complete` are the command line that a shell asks to complete.
    if (command.name() === 'complete') return;
    const taken = command.registeredArguments;
    if (command.args.length <= taken.length || taken.at(-1)?.variadic === true) return;
    throw command === program ? secondArgument(program) : excess(command);
  });
}

function excess(command: Command): RopeEvalError {
  const { registeredArguments: taken, args } = command;
  const usage = `rope-eval ${command.name()} ${command.usage()}`;
  if (taken.length === 1 && taken[0]?.name() === 'config') {
    const scaling = candidateHint(command, args);
    if (scaling !== undefined)
      return tooMany(`${command.name()} takes a config alone`, args, scaling);
    const loop =
      command.name() === 'check'
        ? `For several, a loop: for c in ${listed(args)}; do rope-eval check "$c" || break; done. ` +
          '(rope-eval sweep evaluates many, but judges none.)'
        : `For several, call rope-eval ${command.name()} once for each.`;
    return tooMany(`${command.name()} takes one config at a time`, args, loop);
  }
  const most = taken.length === 0 ? 'no arguments' : `at most ${taken.length}`;
  return tooMany(`${command.name()} takes ${most}`, args, `Usage: ${usage}`);
}

/** Says how a command takes the scaling that stands where only a config can stand. */
function candidateHint(command: Command, [config = '', second = '']: readonly string[]) {
  if (!/^[a-z0-9-]+:[\d.]+/i.test(second) && second !== 'none') return undefined;
  const flag = command.options.find(({ long }) => long?.startsWith('--candidate'))?.long;
  if (!flag) return undefined;
  return `A scaling is given by ${flag}: ${nameOf(command)} ${quote(config)} ${flag} ${quote(second)}`;
}

function secondArgument(program: Command): RopeEvalError {
  const [first = ''] = program.args;
  const names = program.commands.map((command) => command.name());
  const meant = suggest(first, names);
  if (meant !== undefined) {
    return new RopeEvalError('unknown_command', {
      problem: `unknown command ${first} (did you mean ${meant}?)`,
    });
  }
  const scaling = candidateHint(program, program.args);
  if (scaling !== undefined) return tooMany('one config and no more', program.args, scaling);
  const [, second = ''] = program.args;
  const hint = LENGTHS.test(second)
    ? `A length goes with --target: rope-eval ${first} --target ${second.split(',').at(-1) ?? ''}.`
    : `Commands: ${names.join(', ')}.`;
  return tooMany('one config at a time', program.args, hint);
}

/** Numbers of tokens where a second config would stand, such as 8192,32k after --optimize. */
const LENGTHS = /^\d+k?(,\d+k?)*$/i;

function tooMany(what: string, args: readonly string[], hint: string): RopeEvalError {
  const found = `found ${args.length}: ${listed(args)}`;
  return new RopeEvalError('too_many_arguments', { problem: `${what}; ${found}`, hint });
}

/** The number of arguments to list, because a shell can expand one pattern to hundreds. */
const LISTED = 5;

function listed(args: readonly string[]): string {
  return args.length > LISTED ? `${args.slice(0, LISTED).join(' ')} …` : args.join(' ');
}

/**
 * Refuses options before a command, as in `rope-eval --json inspect x`. The default command would
 * read the option, and it would have no effect on `inspect`.
 */
function refuseMisplacedOptions(program: Command): void {
  program.hook('preSubcommand', (_, subcommand) => {
    const given = program.options.find(
      (option) => program.getOptionValueSource(option.attributeName()) === 'cli',
    );
    if (!given) return;
    const flag = given.long ?? given.flags;
    throw new RopeEvalError('misplaced_option', {
      path: flag,
      predicate: `stands before the command ${subcommand.name()}, where it has no effect`,
      hint: `options of a command follow its name: rope-eval ${subcommand.name()} … ${flag}`,
    });
  });
}

/**
 * Says which command takes an option that another one does not know, with what was typed.
 *
 * @param message of commander: `error: unknown option '--engine'`
 * @returns '' if no command has it
 */
export function otherCommand(program: Command, message: string, argv: readonly string[]): string {
  const [, flag] = /unknown option '(--[\w-]+)/.exec(message) ?? [];
  if (flag === undefined) return '';
  const typed = typedWith(flag, program, argv);
  return argumentHint(typed) ?? ownerHint(program, typed) ?? '';
}

/** A command line with an option that its command does not know. */
interface Typed {
  readonly flag: string;
  /** What stands behind the option, quoted; none if it is another option. */
  readonly value: readonly string[];
  /** The command that was named; undefined for the default one. */
  readonly named: Command | undefined;
  /** The config, quoted, or a word that stands for one. */
  readonly config: string;
}

function typedWith(flag: string, program: Command, argv: readonly string[]): Typed {
  const at = argv.indexOf(flag);
  const next = argv[at + 1];
  const value = next === undefined || next.startsWith('-') ? [] : [quote(next)];
  const words = argv.filter((_, index) => index !== at + 1 || value.length === 0);
  const named = program.commands.find((each) => each.name() === words[0]);
  const takesConfig = (named ?? program).registeredArguments[0]?.name() === 'config';
  const found = words.find((word) => word !== named?.name() && !word.startsWith('-'));
  const config = takesConfig && found !== undefined ? quote(found) : 'CONFIG';
  return { flag, value, named, config };
}

/** Says that what was given as an option is an argument of the command. */
function argumentHint({ flag, value, named, config }: Typed): string | undefined {
  const name = flag.slice('--'.length);
  if (!named?.registeredArguments.some((each) => each.name() === name)) return undefined;
  const filled = { config, ...(value[0] !== undefined && { [name]: value[0] }) };
  return `it is an argument: ${startOf(named, filled)}`;
}

/** Says which command takes the option; undefined if nearly all do, which would be no help. */
function ownerHint(program: Command, { flag, value, config }: Typed): string | undefined {
  const owners = [program, ...program.commands].filter(({ options }) =>
    options.some((each) => each.long === flag),
  );
  const [owner, ...others] = owners;
  if (owner === undefined || owners.length > MOST_OWNERS) return undefined;
  const titleOf = (each: Command): string =>
    each === program ? 'the default command' : each.name();
  const also = others.length === 0 ? '' : ` (${others.map(titleOf).join(', ')} too)`;
  const command = [startOf(owner, { config }), flag, ...value].join(' ');
  return `${titleOf(owner)} takes ${flag}${also}: ${command}`;
}

/** Writes a command with its required arguments. */
function startOf(command: Command, filled: Readonly<Record<string, string>>): string {
  const places = command.registeredArguments
    .filter(({ required }) => required)
    .map((each) => filled[each.name()] ?? each.name().toUpperCase());
  return [nameOf(command), ...places].join(' ');
}

/** The name of a command for a shell; that of the program for the default one. */
function nameOf(command: Command): string {
  return command.parent === null ? 'rope-eval' : `rope-eval ${command.name()}`;
}

const MOST_OWNERS = 4;

/** Help is read, not scanned: longer lines would not help even where there is room. */
const HELP_COLUMNS = 80;

const EPILOGUE = `
Exit codes: 0 done, or the gate passed; 1 gate failed or unverifiable,
--optimize found nothing that passes, or fingerprint --diff a difference;
2 usage, config or policy is wrong; 3 the runtime or device failed, or reports
are not comparable; 130 interrupted.

Examples:
  rope-eval config.json                 the default candidates at 4x the window
  rope-eval config.json --target 128k   at 131,072 tokens
  rope-eval config.json --factor 2,4    the candidates of both factors, at 4x
  rope-eval config.json --candidates yarn:4,dynamic:4 -o report.html
  cat config.json | rope-eval - --json  the report as JSON on standard output
`;

export function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.environment;
  const program: Command = new Command('rope-eval')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => {
        const hint = otherCommand(program, text, context.environment.argv);
        write(hint === '' ? text : `${text}  ${hint}\n`);
      },
      getOutHelpWidth: () => Math.min(HELP_COLUMNS, stdout.columns),
      getErrHelpWidth: () => Math.min(HELP_COLUMNS, stderr.columns),
      getOutHasColors: () => stdout.isLively,
      getErrHasColors: () => stderr.isLively,
    })
    .description(
      'Compares RoPE scalings for a longer context: reads a model’s config.json, applies each ' +
        'candidate scaling to a small bundled model, and measures what it costs at short lengths ' +
        'and how far it reaches. Downloads nothing.',
    )
    .version(TOOL_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // In `rope-eval inspect x --json`, --json belongs to inspect and not to the default command.
    .enablePositionalOptions()
    .showHelpAfterError('(rope-eval --help shows what it takes)')
    .addHelpText('after', EPILOGUE);
  evaluateCommand(program, context);
  refuseExcessArguments(program);
  for (const add of COMMANDS) add(program, context);
  for (const command of program.commands) {
    command.showHelpAfterError(`(rope-eval ${command.name()} --help shows what it takes)`);
  }
  for (const command of [program, ...program.commands]) refuseRepeated(command);
  refuseMisplacedOptions(program);
  addCompletion(program, context.environment);
  return program;
}

/** Arguments that are paths. The commands themselves say how to complete everything else. */
const PATH_ARGUMENTS: ReadonlySet<string> = new Set([
  'config',
  'configs',
  'before',
  'after',
  'parts',
]);

/** Adds `complete <shell>`, and the completions that the printed script asks for. */
function addCompletion(program: Command, { argv, cwd }: Environment): void {
  const root = tab(program);
  const command = program.commands.find((each) => each.name() === 'complete');
  command
    ?.description('print a completion script for zsh, bash, fish or powershell')
    .showHelpAfterError('(rope-eval complete --help shows what it takes)')
    .addHelpText('after', '\nIn bash: source <(rope-eval complete bash), or zsh in its place');
  showShellAsRequired(program, command);
  // The library turns off the shell's own completion of files, so paths are offered here.
  const offer = (complete: (value: string, description: string) => void): void => {
    for (const path of pathsLike(argv.at(-1) ?? '', cwd)) complete(path, '');
  };
  for (const each of [root, ...root.commands.values()]) {
    for (const argument of each.arguments.values()) {
      if (PATH_ARGUMENTS.has(argument.name)) argument.handler = offer;
    }
  }
}

/**
 * Shows the argument `[shell]` of `complete` as `<shell>`. The library declares it as optional only
 * because shells request completions as `complete -- words`, where bash first sends no word, but
 * without it the command fails.
 */
function showShellAsRequired(program: Command, command: Command | undefined): void {
  command?.usage('<shell>');
  const usual = new Help();
  program.configureHelp({
    subcommandTerm: (each) => usual.subcommandTerm(each).replace('[shell]', '<shell>'),
  });
}

/** Lists JSON files and folders that complete a typed path. */
function pathsLike(typed: string, cwd: string): readonly string[] {
  const folder = typed.endsWith('/') ? typed : dirname(typed);
  const hidden = typed.slice(typed.lastIndexOf('/') + 1).startsWith('.');
  try {
    return readdirSync(resolve(cwd, folder), { withFileTypes: true })
      .filter((entry) => hidden || !entry.name.startsWith('.'))
      .filter((entry) => entry.isDirectory() || /\.jsonc?$/i.test(entry.name))
      .map((entry) => join(folder, entry.name) + (entry.isDirectory() ? '/' : ''));
  } catch {
    return [];
  }
}
