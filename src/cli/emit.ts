import { isDeepStrictEqual } from 'node:util';
import {
  type Edit,
  type Emission,
  type EmitInput,
  emitInputOf,
  type Note,
  patchConfig,
  windowNotes,
} from '../emit/index.js';
import { option, RopeEvalError, words } from '../errors.js';
import { claimedLength } from '../gate/check.js';
import { parseConfig, repeatedKeys, type UnknownRecord } from '../json/parse.js';
import { referenceSpecs } from '../model/evidence.js';
import { list, type Paint, printable, tokens } from '../report/format.js';
import { findingLines } from '../report/sections/findings.js';
import { fill } from '../report/terminal.js';
import type { Environment } from './environment.js';
import type { LoadedConfig } from './inputs.js';
import { readRopeGeometry, resolveOne } from './model.js';
import type { ReferenceFlags } from './options.js';

/**
 * Resolves a candidate on this model into the input of the emitters.
 *
 * @param base the config from before a change, which gives the reference
 */
export async function emitInput(
  config: LoadedConfig,
  candidate: string,
  flags: ReferenceFlags & { readonly target?: number },
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
export function patchedText(
  text: string,
  edits: readonly Edit[],
  wanted: UnknownRecord,
  source: string,
): string {
  const [twice] = repeatedKeys(parseConfig(text, { source }));
  if (twice !== undefined) {
    throw new RopeEvalError('duplicate_key', {
      path: twice.path,
      problem: `${source} has the key ${twice.path} twice, and only the last one counts`,
      hint: 'Remove the other one first: an edit of the wrong one would change nothing.',
    });
  }
  const patched = patchConfig(text, edits);
  if (!isDeepStrictEqual(parseConfig(patched, { source }), wanted)) {
    throw new Error('the patched text does not read back as the edits meant it');
  }
  return patched;
}

export interface EmitText {
  readonly input: EmitInput;
  readonly source: string;
  readonly emissions: readonly Emission[];
  readonly columns: number;
}

/** Draws the settings to paste, each with the versions it is valid for and notes. */
export function emitText(text: EmitText, paint: Paint): string {
  const { input, source, emissions, columns } = text;
  const head = paint.bold(
    `${printable(input.label)} on ${printable(source)}, for ${tokens(input.length)} tokens`,
  );
  const warnings = findingLines(input.findings ?? []).map(({ code, mark, text: words }) =>
    indented(`${code ?? ''} ${mark}: ${printable(words)}`, columns),
  );
  const windows = windowNotes(input).map((note) => noteText(note, columns));
  const said = [...warnings, ...windows].join('\n');
  const engines = emissions.map((each) => engineText(each, input, columns, paint));
  return `${[head, ...(said === '' ? [] : [said]), ...engines].join('\n\n')}\n`;
}

function engineText(emission: Emission, input: EmitInput, columns: number, paint: Paint): string {
  if (!emission.ok) {
    return [
      paint.bold(emission.engine),
      indented(`cannot express it: ${emission.reason}.`, columns),
      indented(`Instead: ${emission.instead}`, columns),
    ].join('\n');
  }
  const settings = emission.settings.map(
    ({ title, versions, text }) => `${paint.bold(title)} ${paint.dim(`(${versions})`)}\n${text}`,
  );
  const notes = [
    ...emission.notes.map((note) => noteText(note, columns)),
    ...(settings.length > 0 ? [indented(checkedText(emission, input), columns)] : []),
  ].join('\n');
  if (settings.length === 0) return `${paint.bold(emission.engine)}\n${notes}`;
  return [...settings, ...(notes === '' ? [] : [notes])].join('\n\n');
}

/** Says which versions have run such a setting. A model class that was not run may differ. */
function checkedText({ engine, checked, checkedElsewhere }: Emission, input: EmitInput): string {
  const { modelType } = input.geometry;
  const { type } = input.groups[0].rope;
  const what = type === 'default' ? 'such a setting' : type;
  if (checked.length > 0) return `checked: ${what} was run for ${modelType} on ${list(checked)}`;
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
