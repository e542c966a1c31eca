import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { option, RopeEvalError, type Words, words } from '../errors.js';
import { BOUNDS, defined, show } from '../json/parse.js';
import { REFERENCE_KINDS } from '../model/types.js';
import type { EvaluateOptions } from '../options.js';
import { DEVICES, LIMITS, PRESET_NAMES } from '../probes/presets.js';
import { quote } from '../text.js';
import type { Environment } from './environment.js';
import { flagOf, noEffect } from './failure.js';

/** Parsers of option values, and the groups of options that several commands share. */

/** With a larger factor, no pair of any rotary table would still turn. */
const MAX_FACTOR = 65_536;

const DECIMAL = /^\d+(\.\d+)?$/;

/** Parses `131072`, `128k` (= 131072) or `1e6`, with one error message for every length option. */
export function tokensFor(option: string): (text: string) => number {
  return (text) => checkSequenceLength(text, option);
}

/** Parses `2,4` or `2x,4x`. The option may be repeated. */
export function factors(text: string, before: readonly number[] = []): number[] {
  const values = text.split(',').map((part) => {
    const digits = part.trim().replace(/x$/i, '');
    return DECIMAL.test(digits) ? Number(digits) : Number.NaN;
  });
  if (!values.every((value) => value > 1 && value <= MAX_FACTOR)) {
    throw new InvalidArgumentError(
      `Give numbers above 1 and at most ${MAX_FACTOR}, with commas between, such as 2,4.`,
    );
  }
  return [...new Set([...before, ...values])].sort((a, b) => a - b);
}

/** Parses a whole number within bounds, for counts and seeds. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high)) {
      throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

/** Parses a number above 0, for physical quantities. */
export function positiveNumber(text: string): number {
  const value = DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('Give a number above 0.');
  }
  return value;
}

/**
 * Refuses options that are given twice and take one value, because the first would be dropped
 * silently. Options that collect their values hold a list. How the probes are run may be overridden
 * by a later option, as where an alias of a shell holds the usual threads.
 */
export function refuseRepeated(command: Command): void {
  for (const each of command.options) {
    if (!each.required || OVERRIDABLE.has(each.attributeName())) continue;
    const parse = each.parseArg;
    each.argParser((text: string, before: unknown): unknown => {
      if (before !== undefined && before !== each.defaultValue && !Array.isArray(before)) {
        throw new InvalidArgumentError(`It is given already, as ${String(before)}. Give it once.`);
      }
      return parse === undefined ? text : parse(text, before);
    });
  }
}

const OVERRIDABLE: ReadonlySet<string> = new Set<keyof EvaluationFlags>([
  'preset',
  'device',
  'seed',
  'samples',
  'threads',
]);

/** Collects the values of an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** How the probes are run. Every command that runs them has these options. */
export type EvaluationFlags = Pick<
  EvaluateOptions,
  'preset' | 'device' | 'seed' | 'samples' | 'threads'
>;

const PRESETS =
  'how many contexts are probed (up to four times as many where a verdict is open); ' +
  'quick also leaves out causes of a loss, cached keys and offset, thorough adds the neighbouring probe models';

/** @param presets says how the presets differ */
export function addEvaluationOptions(command: Command, presets = PRESETS): Command {
  return command
    .addOption(new Option('--preset <name>', `${presets}; default: standard`).choices(PRESET_NAMES))
    .addOption(
      new Option(
        '--device <name>',
        'where the probe model runs; auto (the default) takes CUDA where it works; the report says which',
      ).choices(DEVICES),
    )
    .option('--seed <n>', 'seed of the contexts; default: 1', wholeNumber(0, LIMITS.seed))
    .option(
      '--samples <n>',
      'exactly so many long contexts, whatever the preset; the cheaper probes get two or four times as many',
      wholeNumber(1, LIMITS.samples),
    )
    .option(
      '--threads <n>',
      'CPU threads of the probe model; default: all, at most 8',
      wholeNumber(1, LIMITS.threads),
    );
}

/** Passes on only the options that were given, because `evaluate` owns the defaults. */
export function evaluationOptions(flags: EvaluationFlags): EvaluateOptions {
  const { preset, device, seed, samples, threads } = flags;
  return defined({ preset, device, seed, samples, threads });
}

/** Where a report goes. Every command that makes one has these options. */
export interface OutputFlags {
  readonly output?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** @param what --json prints, such as `the report` */
export function addOutputOptions(command: Command, what: string): Command {
  return command
    .option(
      '-o, --output <file>',
      'also save the report; .json, .md, .html, .xml (JUnit), .csv or .txt; may be given again',
      collect,
    )
    .option('--json', `print ${what} as JSON, and nothing else, on standard output`)
    .option('--quiet', 'no progress and no notices on standard error');
}

/** What a config is judged by. Every command that judges has these options. */
export interface CheckFlags extends EvaluationFlags, ReferenceFlags {
  readonly rule?: readonly string[];
  readonly warn?: readonly string[];
  readonly severity?: readonly string[];
  readonly allow?: readonly string[];
  readonly candidates?: readonly string[];
  readonly target?: number;
  readonly details?: boolean;
}

export function addCheckOptions(command: Command): Command {
  return command
    .option(
      '--rule <rule>',
      "adds an error rule, such as 'needle@128k >= 0.8'; replaces the policy's rule on the same " +
        'metric, length and candidate; may be given again',
      collect,
    )
    .option('--warn <rule>', 'the same, as a warning that does not fail the gate', collect)
    .option(
      '--severity <code=level>',
      'what a finding counts as: RE012=error, =warn or =off; wins over the policy; may be given again',
      collect,
    )
    .option(
      '--allow <key>',
      'a key of the config that may change although nothing judges it, such as ' +
        'quantization_config; may be given again',
      collect,
    )
    .option(
      '--candidates <list>',
      'what is judged; default: the policy’s, else as-configured',
      collect,
    )
    .option(
      '--target <tokens>',
      'length to judge at, at least the trained window and the longest in a rule; default: the ' +
        'policy’s, else the largest that the config claims',
      tokensFor('target'),
    )
    .option('--details', 'print every rule with its interval, and the conditions');
}

/** How the weights were trained, if the user knows better than the table of evidence. */
export type ReferenceFlags = Pick<EvaluateOptions, 'reference' | 'trainedWindow'>;

export function addReferenceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--reference <reading>',
        'whether the weights were trained with the scaling of the config (configured) or ' +
          'without it (unscaled); default: by rope type and model type',
      ).choices(REFERENCE_KINDS),
    )
    .option(
      '--trained-window <tokens>',
      'tokens the weights were trained to see; default: from the config',
      tokensFor('trainedWindow'),
    );
}

export function referenceOptions({ reference, trainedWindow }: ReferenceFlags): ReferenceFlags {
  return defined({ reference, trainedWindow });
}

/** An exported ONNX graph. */
export interface ExportFlags {
  readonly model?: string;
  readonly modelFile?: string;
}

export interface ModelFlags extends ExportFlags {
  readonly text?: readonly string[];
  /** GiB. */
  readonly memory?: number;
}

/** Adds the options for an exported graph. @param what the command does with it */
export function addExportOptions(command: Command, what: string): Command {
  return command
    .option('--model <path>', what)
    .option('--model-file <name>', 'with --model: which .onnx file of a folder that has several');
}

/** Adds the options for the user's own weights. */
export function addModelOptions(command: Command): Command {
  return addExportOptions(
    command,
    'your own weights as an ONNX decoder, an .onnx file or a folder with its tokenizer.json: ' +
      'measured beside the probe, and the report is about them (docs/real-weights.md)',
  )
    .option(
      '--text <file>',
      'with --model: a text of your own domain to be asked on, instead of those of the package; ' +
        'may be given again',
      collect,
    )
    .option(
      '--memory <GiB>',
      'with --model: memory that it may take; default: what this machine has left',
      positiveNumber,
    );
}

/**
 * Reads the options for an exported graph.
 *
 * @returns undefined if none is named
 * @throws RopeEvalError `no_effect` for an option that needs one, `hub_id` for a name on a hub
 */
export async function exportOptions(
  { model, modelFile, text, memory }: ModelFlags,
  environment: Environment,
): Promise<{ readonly path: string; readonly file?: string } | undefined> {
  if (model === undefined) {
    const [alone] = Object.keys(defined({ modelFile, text, memory }));
    if (alone !== undefined) throw noEffect(alone, words`without ${option('model')}`);
    return undefined;
  }
  const path = resolve(environment.cwd, model);
  const { hubId, hubIdFromUrl } = await import('./inputs.js');
  const id = hubIdFromUrl(model) ?? hubId(model);
  if (/^https?:/i.test(model) || (id !== undefined && !(await exists(path, environment))))
    throw new RopeEvalError('hub_id', {
      option: 'model',
      problem: `${model} is not on this machine, and rope-eval downloads nothing`,
      hint: 'Download the model, export it to ONNX and give that folder (docs/real-weights.md has the commands).',
    });
  return defined({ path, file: modelFile });
}

async function exists(path: string, environment: Environment): Promise<boolean> {
  return environment.stat(path).then(
    () => true,
    () => false,
  );
}

/** Writes the options of the user's own weights for a shell; empty without such weights. */
export function modelWords({ model, modelFile, memory, text = [] }: ModelFlags): string[] {
  if (model === undefined) return [];
  return [
    ...flagWords('model', model),
    ...flagWords('modelFile', modelFile),
    ...text.flatMap((path) => flagWords('text', path)),
    ...flagWords('memory', memory),
  ];
}

/** Spells an option with its value for a shell, or nothing where it has none. */
export function flagWords(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${flagOf(name)} ${quote(String(value))}`];
}

/**
 * Reads the options for the user's own weights and loads their texts.
 *
 * @returns undefined without such weights
 */
export async function modelOptions(
  flags: ModelFlags,
  environment: Environment,
): Promise<{ readonly model: NonNullable<EvaluateOptions['model']> } | undefined> {
  const exported = await exportOptions(flags, environment);
  if (exported === undefined) return undefined;
  const { text, memory } = flags;
  const { requireTextFile } = await import('./inputs.js');
  const texts = text && (await Promise.all(text.map((path) => requireTextFile(path, environment))));
  const argument = modelWords(flags).join(' ');
  const mebibytes = memory && 1024 * memory;
  return { model: defined({ ...exported, argument, texts, memory: mebibytes }) };
}

/** What the action of a command receives in addition to its own arguments. */
export interface CommandContext {
  readonly environment: Environment;
  /** Sets the exit code of the run, which is 0 by default. */
  readonly exitWith: (code: number) => void;
}

/**
 * Adds one command to the program: its arguments, options and action. Heavy modules are imported
 * inside the action, so that `--help` stays fast.
 */
export type CommandModule = (program: Command, context: CommandContext) => void;

/**
 * Checks a length in tokens that a user gave, before anything is computed from it.
 *
 * @param value a number, or text from the command line, which may contain `8k`, `1m`, underscores
 *   or commas between thousands
 * @param option name for the message
 * @throws RopeEvalError `out_of_range` unless it is a whole number from 1 to 2^40
 */
export function checkSequenceLength(value: unknown, option = 'sequenceLength'): number {
  const number = typeof value === 'string' ? parseLength(value) : value;
  const isWhole = typeof number === 'number' && Number.isInteger(number);
  if (!isWhole || number < 1 || number > BOUNDS.positions) {
    throw new RopeEvalError('out_of_range', {
      option,
      problem: `must be a whole number of tokens from 1 to ${BOUNDS.positions}, found ${show(value)}`,
      ...(typeof value === 'string' && { hint: lengthHint(value, option) }),
    });
  }
  return number;
}

/** Says what to give instead of a text that is no length, if it is clear what is meant. */
function lengthHint(text: string, name: string): string | Words {
  const several = text.split(',').map(parseLength);
  if (several.length > 1 && several.every(Number.isInteger)) {
    const longest = Math.max(...several);
    return name === 'target'
      ? words`Give the longest, ${String(longest)}: the default command measures lengths up to it, and with ${option('optimize')} it gives a setting for each.`
      : 'Give one length.';
  }
  if (/^\d+(\.\d+)?x$/i.test(text.trim())) {
    return name === 'target'
      ? words`A multiple of the trained window is a factor: the default command takes ${option('factor')} ${text.trim()}.`
      : 'Give tokens, not a multiple.';
  }
  const digits = text.trim().replaceAll(/[ .'\u00a0\u202f]/g, '');
  const grouped = /^\d{1,3}([ .'\u00a0\u202f]\d{3})+$/.test(text.trim());
  return grouped ? `Thousands take a comma or nothing between them: ${digits}.` : '';
}

/** Parses `131072`, `131_072`, `131,072`, `128k` or `128Ki` (x 1024), or `1m` (x 1048576). */
function parseLength(text: string): number {
  const match = /^(\d{1,3}(?:,\d{3})+|\d[\d_]*(?:\.\d+)?(?:e\d+)?)(?:([km])i?)?$/i.exec(
    text.trim(),
  );
  if (match === null) return Number.NaN;
  const [, digits = '', unit = ''] = match;
  const size = { '': 1, k: 1024, m: 1024 * 1024 }[unit.toLowerCase()] ?? Number.NaN;
  return Number(digits.replaceAll(/[_,]/g, '')) * size;
}
