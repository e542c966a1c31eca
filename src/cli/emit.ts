import { isDeepStrictEqual } from 'node:util';
import {
  type ConfigForm,
  type Edit,
  editedRecord,
  type Emission,
  emit,
  type EmitInput,
  emitInputOf,
  engineNamed,
  ENGINES,
  type Note,
  patchConfig,
  patchForVersion,
  windowNotes,
} from '../emit/index.js';
import { option, RopeEvalError, words } from '../errors.js';
import { wordFinding } from '../findings/index.js';
import { claimedLength } from '../gate/check.js';
import { parseConfig, repeatedKeys, type UnknownRecord } from '../json/parse.js';
import { referenceSpecs } from '../model/evidence.js';
import { counted, list, type Paint, paint, printable, tokens } from '../report/format.js';
import { findingLines } from '../report/sections/findings.js';
import { fill } from '../report/terminal.js';
import type { Environment } from './environment.js';
import { noEffect } from './failure.js';
import { otherNames, writeAtomically } from './files.js';
import { loadBase, loadConfig, type LoadedConfig } from './inputs.js';
import { readRopeGeometry, resolveOne } from './model.js';
import type { ReferenceFlags } from './options.js';

export interface EmitFlags extends ReferenceFlags {
  readonly base?: string;
  readonly target?: number;
  readonly engine?: string;
  readonly engineVersion?: string;
  readonly form?: ConfigForm;
  readonly write?: boolean;
  readonly json?: boolean;
}

/** Prints or writes the settings for a candidate. */
export async function runEmit(
  argument: string,
  candidate: string,
  flags: EmitFlags,
  environment: Environment,
): Promise<void> {
  const config = await loadConfig(argument, environment);
  const base = await loadBase(flags.base, environment);
  const input = await emitInput(config, candidate, flags, base, environment);
  refuseWithoutEffect(flags);
  if (flags.write) await write(config, input, flags, environment);
  else print(config, input, flags, environment);
}

function refuseWithoutEffect({ form, write, engine, engineVersion }: EmitFlags): void {
  if (form !== undefined && !write) {
    throw noEffect('form', words`without ${option('write')}: both forms are printed`);
  }
  if (engineVersion !== undefined && engine === undefined) {
    const where = words`without ${option('engine')}: it is the version of one engine`;
    throw noEffect('engineVersion', where);
  }
  if (!write || engine === undefined || engineNamed(engine) === 'hf') return;
  throw noEffect(
    'engine',
    words`with ${option('write')}, which edits config.json as transformers reads it`,
    { value: engine },
  );
}

function print(
  { source }: LoadedConfig,
  input: EmitInput,
  { engine, engineVersion: version, json }: EmitFlags,
  { stdout }: Environment,
): void {
  const engines = engine === undefined ? ENGINES : [engineNamed(engine)];
  const emissions = emit(input, engines, version);
  const { label, length, findings = [] } = input;
  const [only] = emissions;
  // The user asked for one engine that cannot express the scaling, so this is an error.
  if (engine !== undefined && only && !only.ok) {
    throw new RopeEvalError('not_expressible', {
      option: 'engine',
      problem: `${only.engine} cannot express ${label}: ${only.reason}`,
      hint: only.instead,
    });
  }
  if (json) {
    const notes = windowNotes(input);
    stdout.json({ candidate: label, config: source, length, findings, notes, emissions });
    return;
  }
  const sheet = { columns: stdout.columns, paint: paint(stdout.isLively) };
  stdout.write(emitText({ input, source, emissions, version, ...sheet }));
}

/** Edits the config file, and says what was written. */
async function write(
  config: LoadedConfig,
  input: EmitInput,
  { form, json, engineVersion }: EmitFlags,
  { stdout, stderr }: Environment,
): Promise<void> {
  const { source } = config;
  const file = writableFile(config, input);
  const patch = patchForVersion(input, engineVersion, form);
  if (!patch.ok) {
    throw new RopeEvalError('not_expressible', {
      option: form === undefined ? 'write' : 'form',
      problem: `${source} cannot express ${input.label}: ${patch.reason}`,
      hint: patch.instead,
    });
  }
  const { edits, form: chosen } = patch;
  const patched = patchedText(config, edits, editedRecord(input.raw, edits));
  const links = edits.length > 0 ? await otherNames(file) : 0;
  if (edits.length > 0) await writeAtomically(file, patched);
  if (links > 0) {
    stderr.write(
      `${source} is a new file now: ${counted(links, 'other name')} (hard links) keep the old text.\n`,
    );
  }
  const { label, length } = input;
  const named = edits.map(({ path, value }) => ({ path: path.join('.'), value }));
  if (json) {
    stdout.json({
      candidate: label,
      config: source,
      length,
      form: chosen,
      written: named.filter(({ value }) => value !== undefined),
      removed: named.filter(({ value }) => value === undefined).map(({ path }) => path),
    });
    return;
  }
  stdout.write(
    edits.length > 0
      ? `${source}: ${label} written (${named.map(({ path }) => path).join(', ')})\n`
      : `${source} says ${label} already: nothing written\n`,
  );
}

/** @throws RopeEvalError `not_expressible` for another format, `usage` for standard input */
function writableFile({ file, source }: LoadedConfig, { findings = [] }: EmitInput): string {
  const translated = findings.find(({ code }) => code === 'RE076');
  if (translated !== undefined) {
    throw new RopeEvalError('not_expressible', {
      option: 'write',
      problem: `${source} is no config.json: ${wordFinding(translated)}, and nothing writes it back`,
      hint: 'Give the config.json of the same model to --write, or leave --write away and pass the settings to the engine (--engine).',
    });
  }
  if (file !== undefined) return file;
  throw new RopeEvalError('usage', {
    option: 'write',
    predicate: 'needs a file, not standard input',
  });
}

/**
 * Resolves a candidate on this model into the input of the emitters.
 *
 * @param base the config from before a change, which gives the reference
 */
async function emitInput(
  config: LoadedConfig,
  candidate: string,
  flags: EmitFlags,
  base: LoadedConfig | undefined,
  environment: Environment,
): Promise<EmitInput> {
  const read = await readRopeGeometry(config, flags, base);
  const { model, before, reference } = read;
  const resolved = await resolveOne(candidate, undefined, read, environment);
  const { label, definition, specs } = resolved;
  if (definition.method === 'theta' && flags.target === undefined) {
    throw new RopeEvalError('usage', {
      option: 'target',
      problem: `${label} says nothing about a length`,
      hint: words`Add the length to serve: ${option('target')} 131072.`,
    });
  }
  const scaled = {
    ...model,
    maxPositions: Math.min(model.maxPositions, reference.trainedWindow),
    groups: model.groups.map((group, index) => ({ ...group, rope: specs[index] ?? group.rope })),
  };
  const trained = {
    specs: referenceSpecs(model, before, reference),
    window: reference.trainedWindow,
  };
  const length = flags.target ?? claimedLength(scaled, trained);
  const input = emitInputOf(label, model, reference, specs, model.config ?? {}, length, {
    before,
    ...('factor' in definition && { factor: definition.factor }),
    findings: [...model.findings, ...resolved.findings],
  });
  if (!input) throw new RopeEvalError('not_rope', { problem: 'no layer of this model uses RoPE' });
  return input;
}

/**
 * Edits the text of a config and checks the result key by key. The check is necessary because the
 * editor changes the first of two equal keys, while readers take the last.
 *
 * @param wanted the parsed config after the edits
 * @throws RopeEvalError `duplicate_key`
 */
function patchedText(
  { text, source }: LoadedConfig,
  edits: readonly Edit[],
  wanted: UnknownRecord,
): string {
  const [twice] = repeatedKeys(parseConfig(text, { source }));
  if (twice !== undefined) {
    throw new RopeEvalError('duplicate_key', {
      path: twice,
      problem: `${source} has the key ${twice} twice, and only the last one counts`,
      hint: 'Remove the other one first: an edit of the wrong one would change nothing.',
    });
  }
  const patched = patchConfig(text, edits);
  if (!isDeepStrictEqual(parseConfig(patched, { source }), wanted)) {
    throw new Error('the patched text does not read back as the edits meant it');
  }
  return patched;
}

interface EmitText {
  readonly input: EmitInput;
  readonly source: string;
  readonly emissions: readonly Emission[];
  /** The version of the engine that was asked for. */
  readonly version: string | undefined;
  readonly columns: number;
  readonly paint: Paint;
}

/** Draws the settings to paste, each with the versions it is valid for and notes. */
function emitText(text: EmitText): string {
  const { input, source, emissions, columns, paint } = text;
  const head = paint.bold(
    `${printable(input.label)} on ${printable(source)}, for ${tokens(input.length)} tokens`,
  );
  const warnings = findingLines(input.findings ?? []).map(({ code, mark, text: words }) =>
    indented(`${code ?? ''} ${mark}: ${printable(words)}`, columns),
  );
  const windows = windowNotes(input).map((note) => noteText(note, columns));
  const said = [...warnings, ...windows].join('\n');
  const engines = emissions.map((each) => engineText(each, text));
  return `${[head, ...(said === '' ? [] : [said]), ...engines].join('\n\n')}\n`;
}

function engineText(emission: Emission, text: EmitText): string {
  const { columns, paint } = text;
  if (!emission.ok) {
    return [
      paint.bold(emission.engine),
      indented(`cannot express it: ${emission.reason}.`, columns),
      indented(`Instead: ${emission.instead}`, columns),
    ].join('\n');
  }
  const settings = emission.settings.map(
    ({ title, versions, text: body }) =>
      `${paint.bold(title)} ${paint.dim(`(${versions})`)}\n${body}`,
  );
  const notes = [
    ...emission.notes.map((note) => noteText(note, columns)),
    ...(settings.length > 0 ? [indented(checkedText(emission, text), columns)] : []),
  ].join('\n');
  if (settings.length === 0) return `${paint.bold(emission.engine)}\n${notes}`;
  return [...settings, ...(notes === '' ? [] : [notes])].join('\n\n');
}

/**
 * Says which versions have run such a setting: of the version asked for, or else the nearest. A
 * model class that was not run may differ.
 */
function checkedText(emission: Emission, { input, version }: EmitText): string {
  const { engine, checked, checkedElsewhere, checkedNearest } = emission;
  const { modelType } = input.geometry;
  const { type } = input.groups[0].rope;
  const what = type === 'default' ? 'such a setting' : type;
  if (checked.length > 0) return `checked: ${what} was run for ${modelType} on ${list(checked)}`;
  if (checkedNearest !== undefined) {
    return `not checked: ${what} was not run for ${modelType} on ${version}; the nearest run was ${checkedNearest}`;
  }
  return checkedElsewhere.length > 0
    ? `not checked: ${what} was run for other model types on ${list(checkedElsewhere)}, not for ${modelType}`
    : `not checked: ${what} was run on no version of ${engine}`;
}

function noteText({ kind, text }: Note, columns: number): string {
  return indented(`${NOTE_WORDS[kind]}: ${text}`, columns);
}

function indented(text: string, columns: number): string {
  return `  ${fill(text, columns - 2, '    ')}`;
}

const NOTE_WORDS: Readonly<Record<Note['kind'], string>> = Object.freeze({
  ignores: 'ignored',
  derives: 'derived',
  static: 'static',
  needs: 'needed',
});
