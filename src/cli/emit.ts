import { type Emission, type EmitInput, emitInputOf, type Note } from '../emit/index.js';
import { RopeEvalError } from '../errors.js';
import { claimedLength } from '../gate/lengths.js';
import { parseConfig } from '../json/parse.js';
import { referenceSpecs } from '../model/reference.js';
import { printable, tokens } from '../report/format.js';
import type { Environment } from './environment.js';
import type { LoadedConfig } from './inputs.js';
import { readRopeGeometry, resolveOne } from './model.js';
import type { ReferenceFlags } from './options.js';
import { fill } from '../report/terminal.js';
import type { Paint } from '../report/paint.js';

/** What a candidate means for this model, as the emitters want it. */
export async function emitInput(
  config: LoadedConfig,
  candidate: string,
  flags: ReferenceFlags & { readonly target?: number },
  environment: Environment,
): Promise<EmitInput> {
  const read = await readRopeGeometry(config, flags);
  const { model, reference } = read;
  const { label, definition, specs } = await resolveOne(candidate, '', read, environment);
  if (definition.method === 'theta' && flags.target === undefined) {
    throw new RopeEvalError(
      `${label} says nothing about a length`,
      2,
      'usage',
      '--target',
      'Add the length to serve: --target 131072.',
    );
  }
  const scaled = {
    ...model,
    maxPositions: Math.min(model.maxPositions, reference.trainedWindow),
    groups: model.groups.map((group, index) => ({ ...group, rope: specs[index] ?? group.rope })),
  };
  const trained = {
    specs: referenceSpecs(model, model, reference),
    window: reference.trainedWindow,
  };
  const length = flags.target ?? claimedLength(scaled, trained);
  const raw = parseConfig(config.text, { source: config.source });
  const input = emitInputOf(label, model, reference, specs, raw, length);
  if (!input) throw new RopeEvalError('no layer of this model uses RoPE', 2, 'not_rope');
  return input;
}

export interface EmitText {
  readonly label: string;
  readonly source: string;
  /** Tokens. */
  readonly length: number;
  readonly emissions: readonly Emission[];
  readonly columns: number;
}

/** Settings to paste, each with the versions it holds for and what to know about it. */
export function emitText(input: EmitText, paint: Paint): string {
  const { label, source, length, emissions, columns } = input;
  const head = paint.bold(
    `${printable(label)} on ${printable(source)}, for ${tokens(length)} tokens`,
  );
  return `${[head, ...emissions.map((each) => engineText(each, columns, paint))].join('\n\n')}\n`;
}

function engineText(emission: Emission, columns: number, paint: Paint): string {
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
  const notes = emission.notes.map(({ kind, text }) =>
    indented(`${NOTE_WORDS[kind]}: ${text}`, columns),
  );
  return [...settings, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
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
