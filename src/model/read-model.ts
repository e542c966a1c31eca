import { createHash } from 'node:crypto';
import { RopeEvalError } from '../errors.js';
import { finding, type Finding, wordFinding } from '../findings/index.js';
import { Fields } from '../json/fields.js';
import {
  BOUNDS,
  fail,
  parseConfig,
  type ParseOptions,
  repeatedKeys,
  type UnknownRecord,
} from '../json/parse.js';
import { didYouMean, suggest } from '../text.js';
import { checkModel, softenPublished } from './checks.js';
import { isLatent, latentAttention } from './dialects/latent.js';
import { NOT_ROPE_TYPES, notRope, otherPositions } from './not-rope.js';
import { fromMistralParams } from './other-formats.js';
import { findPart, type Part } from './part.js';
import { dialectOf, hasDialect } from './registry.js';
import { CLASS_DEFAULTS, type Source } from './source.js';
import type { ModelGeometry, NotRope } from './types.js';

/**
 * Reads a parsed config.json: which layers rotate, at which frequencies, and what looks wrong.
 *
 * A value without a meaning is an error. A value that transformers silently accepts but that was
 * hardly intended is a finding. A model without RoPE is an answer and not an error.
 *
 * @throws RopeEvalError exit code 2, with kind, path and hint
 */
export function readModel(config: UnknownRecord): ModelGeometry | NotRope {
  const translated = fromMistralParams(config);
  const given = translated ?? config;
  const root = new Fields(given, '');
  const part = findPart(root);
  const { fields, modelType } = part;
  const architecture = architectureOf(root) ?? architectureOf(fields);
  const findings: readonly Finding[] = [
    ...(translated === undefined
      ? []
      : [finding('translated', '', { format: "Mistral's params.json", model: modelType })]),
    ...repeatedKeys(config).map((path) => finding('repeated_key', path)),
    ...part.findings,
  ];
  const kept = { config: given, partPath: fields.path };
  const encoding = NOT_ROPE_TYPES.get(modelType);
  if (encoding !== undefined) {
    const other = notRope({ modelType, architecture, fields }, encoding);
    const odd = otherPositions(fields, modelType);
    return { ...other, ...kept, findings: [...findings, ...odd, ...other.findings] };
  }
  const read = readPart(part, architecture);
  const own = [...findings, ...read.model.findings];
  if (isNotRope(read.model)) return { ...read.model, ...kept, findings: own };
  const more = [
    ...checkModel(read.source, read.model),
    ...encoderFindings(read.model, part, read.source),
    ...shadowFindings(root, part, read.model),
  ];
  const all = softenPublished(read.model, [...own, ...more]);
  return { ...read.model, ...kept, findings: withoutRepeats(all) };
}

function readPart(
  part: Part,
  architecture: string | undefined,
): { readonly source: Source; readonly model: ModelGeometry | NotRope } {
  const { fields, modelType, nested } = part;
  const defaults = CLASS_DEFAULTS.get(modelType);
  const source: Source = { modelType, architecture, fields, defaults, nested };
  const known = defaults !== undefined || hasDialect(modelType);
  const unknown = known ? [] : checkUnknown(source);
  const dialect = !known && isLatent(source) ? latentAttention : dialectOf(modelType);
  const model = dialect.read(source);
  return { source, model: { ...model, findings: [...unknown, ...model.findings] } };
}

/** Reports an encoder whose tables differ from those of its decoder. */
function encoderFindings(decoder: ModelGeometry, part: Part, source: Source): readonly Finding[] {
  if (part.encoder === undefined) return [];
  const encoder = dialectOf(source.modelType).read({ ...source, fields: part.encoder });
  return tablesOf(encoder) === tablesOf(decoder) ? [] : [finding('encoder_differs', 'encoder')];
}

function tablesOf(model: ModelGeometry | NotRope): string {
  return isNotRope(model) ? '' : JSON.stringify(model.groups.map(({ rope, span }) => [rope, span]));
}

/** Keys that determine the frequencies, wherever they occur. */
const TABLE_KEYS = [
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'partial_rotary_factor',
  'max_position_embeddings',
] as const;

/** Reports keys beside the part that is read, if they would give other tables. */
function shadowFindings(root: Fields, part: Part, model: ModelGeometry): readonly Finding[] {
  const { fields } = part;
  if (fields === root) return [];
  const keys = TABLE_KEYS.filter(
    (key) =>
      Object.hasOwn(root.record, key) &&
      root.record[key] !== null &&
      JSON.stringify(root.record[key]) !== JSON.stringify(fields.record[key]),
  );
  if (keys.length === 0) return [];
  const overlaid = Object.fromEntries(keys.map((key) => [key, root.record[key]]));
  const found = finding('part_differs', fields.path, { part: fields.path, keys });
  try {
    const other = new Fields({ ...fields.record, ...overlaid }, fields.path);
    const { model: read } = readPart({ ...part, fields: other }, undefined);
    const same =
      tablesOf(read) === tablesOf(model) &&
      !isNotRope(read) &&
      read.maxPositions === model.maxPositions;
    return same ? [] : [found];
  } catch (error) {
    // If the other keys cannot be read at all, they certainly differ.
    if (error instanceof RopeEvalError) return [found];
    throw error;
  }
}

/**
 * Checks that an unknown model type can be read as a plain decoder, for which it needs the ordinary
 * keys. Without any rope key, nothing shows that the model rotates, or how.
 *
 * @throws RopeEvalError `unknown_model_type`
 */
function checkUnknown(source: Source): readonly Finding[] {
  const { fields, modelType } = source;
  const ordinary =
    fields.given('hidden_size') &&
    fields.given('num_attention_heads') &&
    ROPE_EVIDENCE.some((key) => fields.given(key));
  if (!ordinary) {
    fail(
      'unknown_model_type',
      fields.at('model_type'),
      `"${modelType}" is not known, and the config has no ordinary rope keys${didYouMean(modelType, CLASS_DEFAULTS.keys())}`,
      'a plain decoder has hidden_size, num_attention_heads, max_position_embeddings and rope_theta; code that ships with a model is not read',
    );
  }
  const meant = suggest(modelType, CLASS_DEFAULTS.keys());
  return [
    finding('unknown_model_type', fields.at('model_type'), {
      model: modelType,
      ...(meant !== undefined && { suggestion: meant }),
    }),
  ];
}

const ROPE_EVIDENCE = [
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'qk_rope_head_dim',
] as const;

function architectureOf(fields: Fields): string | undefined {
  const list = fields.raw('architectures');
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return typeof first === 'string' ? first : undefined;
}

/** Removes duplicates: a block shared by several layer types would report once for each. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(findings.map((found) => [JSON.stringify(found), found]));
  return [...seen.values()];
}

/** Whether the answer is that the model does not use RoPE. */
export function isNotRope(model: ModelGeometry | NotRope): model is NotRope {
  return Object.hasOwn(model, 'encoding');
}

/**
 * Returns the model if it uses RoPE, for callers that have no answer for any other.
 *
 * @throws RopeEvalError `not_rope`
 */
export function requireRope(read: ModelGeometry | NotRope): ModelGeometry {
  if (!isNotRope(read)) return read;
  // The last finding is the one that names what the model uses.
  const why = read.findings.at(-1);
  fail(
    'not_rope',
    '',
    `${read.modelType} does not use RoPE${why === undefined ? '' : `: ${wordFinding({ ...why, path: '' })}`}`,
    'RoPE scalings have no effect on it. `rope-eval inspect` says more.',
  );
}

/** A config.json after parsing and reading. A run passes this on instead of the text. */
export interface ReadConfig {
  /** The config as a shell argument, for commands that name it again. */
  readonly argument?: string;
  readonly sha256: string;
  readonly raw: UnknownRecord;
  readonly model: ModelGeometry | NotRope;
}

/**
 * Parses and reads the text of a config.json.
 *
 * @param format the original format, if the text was translated from one and no file records it
 * @throws RopeEvalError exit 2 for a text that is not a config
 */
export function readConfig(text: string, options: ParseOptions = {}, format?: string): ReadConfig {
  const raw = parseConfig(text, { ...options, maxLength: BOUNDS.configLength });
  const sha256 = createHash('sha256').update(text).digest('hex');
  const model = readModel(raw);
  if (format === undefined) return { sha256, raw, model };
  const translated = finding('translated', '', { format, model: model.modelType });
  return { sha256, raw, model: { ...model, findings: [translated, ...model.findings] } };
}
