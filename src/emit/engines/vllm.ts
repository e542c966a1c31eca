import { own } from '../../json/parse.js';
import type { Block } from '../../rope/kind.js';
import { type RopeSpec, scalingBlock } from '../../rope/registry.js';
import { tokens } from '../../text.js';
import {
  hasBlock,
  isFlatComposite,
  isUnsaid,
  loadedPrefix,
  originalBeside,
  raisedLengths,
  scalingOverride,
  shapeOf,
  type Support,
  temperatureOf,
  type Unsaid,
  yarnBase,
} from '../block.js';
import { intoFile } from '../hf-patch.js';
import {
  coverageNotes,
  derivedLength,
  type LengthRule,
  type Limit,
  limitOf,
  shortTable,
  staticNotes,
} from '../lengths.js';
import { lostFromOverride } from '../read-back.js';
import {
  belongsIntoFile,
  command,
  dynamicNote,
  type Family,
  hasUsualTemperature,
  INTO_FILE,
  isMultimodal,
  LATENT,
  multimodal,
  needsNoOverride,
  overrideOption,
  type SayYarn,
  SERVED,
  servedBlock,
} from '../served.js';
import {
  atLeast,
  type EmitGroup,
  type EmitInput,
  type Emitter,
  type Note,
  parseVersion,
  planOf,
  type Setting,
  type Version,
} from '../types.js';

/** Since this version vLLM reads `rope_parameters`. */
const BOTH_BLOCKS = '0.12';

/**
 * Since this version vLLM requires transformers 5. With transformers 4, a `rope_scaling` and a
 * `rope_theta` of the file take the place of what `rope_parameters` says.
 *
 * @see vllm/transformers_utils/config.py `patch_rope_parameters`
 */
const TRANSFORMERS_5 = '0.24';

/** The versions that take the same command, newest first. */
const RANGES = [
  { from: TRANSFORMERS_5, to: '0.33' },
  { from: BOTH_BLOCKS, to: '0.23' },
  { from: '0.8', to: '0.11' },
] as const;

/** Since this version vLLM knows the rope type `proportional`. */
const PROPORTIONAL = '0.20';

const OLDEST = RANGES[2].from;
const NEWEST = RANGES[0].to;

/** Writes vLLM's `--hf-overrides` and `--max-model-len`. Sources: docs/engines.md. */
export const vllm = Object.freeze<Emitter>({
  aliases: [],
  versions: { oldest: OLDEST, newest: NEWEST },
  emit: (input, version) => {
    const plan = planOf(input);
    if (plan.kind === 'none') return { ok: false, reason: plan.reason, instead: plan.instead };
    const older = !atLeast(version, BOTH_BLOCKS);
    if (older && plan.kind === 'per-layer') {
      return {
        ok: false,
        reason: 'vLLM before 0.12 reads no block for each kind of layer',
        instead: 'Use vLLM 0.12 or later, or write it into config.json (emit … --engine hf).',
      };
    }
    const unread = unreadBlock(input, version);
    if (unread !== undefined) return intoFile(input, unread);
    const limit = limitOf(input, lengthRule(input, version));
    // All versions since 0.12 get the limit that the newest one needs, which is harmless in the
    // others.
    const { maxPositions } = older
      ? limit
      : limitOf(input, lengthRule(input, parseVersion(NEWEST)));
    const notes = notesOf(input, limit, version);
    const unneeded =
      needsNoOverride(input) && maxPositions === undefined && readsAsWritten(input, version);
    if (unneeded || (belongsIntoFile(input) && input.geometry.modelType !== 'gpt_oss')) {
      const settings = [launch(input, version, undefined)];
      return { ok: true, settings, notes: unneeded ? notes : [INTO_FILE, ...notes] };
    }
    const short = shortTable(input);
    if (short !== undefined) return short;
    const block = blocksOf(input, version);
    if (isUnsaid(block)) return intoFile(input, `vLLM cannot be told: ${block.unsaid}`);
    const overrides = {
      ...overridesOf(input, block, version),
      ...originalBeside(input),
      // Without a raised limit, vLLM refuses a longer --max-model-len.
      ...(maxPositions === undefined ? {} : raisedLengths(input, maxPositions)),
    };
    const lost = lostFromOverride(input, overrides);
    if (lost !== undefined) return intoFile(input, lost);
    return { ok: true, settings: [launch(input, version, overrides)], notes };
  },
});

/** Says why no override reaches the model's class; undefined if it does. */
function unreadBlock({ raw, geometry }: EmitInput, version: Version): string | undefined {
  if (OWN_TABLES.has(geometry.modelType)) {
    return `vLLM's class of ${geometry.modelType} makes its table from other keys than the block`;
  }
  const between = atLeast(version, BOTH_BLOCKS) && !atLeast(version, TRANSFORMERS_5);
  return between && isFlatComposite(raw)
    ? `vLLM before ${TRANSFORMERS_5} reads a multimodal config without text_config in ways that depend on its transformers`
    : undefined;
}

/**
 * Model types whose class in vLLM makes its table from other keys than the block.
 *
 * @see vllm/model_executor/models (dbrx.py, chatglm.py, step3p5.py)
 */
const OWN_TABLES: ReadonlySet<string> = new Set(['chatglm', 'dbrx', 'step3p5']);

const yarn: SayYarn = (rope) => {
  const temperature = temperatureOf(rope);
  return {
    ...yarnBase(rope),
    // Up to 0.29 the first key is read and the second dropped; since 0.30 it is the other way
    // round.
    ...(temperature && {
      attn_factor: temperature.attn,
      attention_factor: temperature.attention,
    }),
  };
};

/** One line for each rope type that an override can name. */
const SUPPORT: Support<Block> = Object.freeze({
  ...SERVED,
  'ntk-mixed': (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  yarn,
  proportional: (rope) =>
    rope.factor === 1
      ? { ...scalingBlock(rope), rope_theta: rope.theta }
      : { unsaid: 'the factor of `proportional` is not read' },
});

const FAMILIES: readonly Family[] = Object.freeze<Family[]>([
  {
    // The class takes these four keys from the block and always builds YaRN.
    has: ({ geometry }: EmitInput) => geometry.modelType === 'gpt_oss',
    support: (): Support<Block> => ({
      yarn: (rope) =>
        temperatureOf(rope) === undefined
          ? { ...yarnBase(rope), beta_fast: rope.betaFast, beta_slow: rope.betaSlow }
          : { unsaid: 'the class of gpt-oss reads no temperature' },
    }),
  },
  multimodal(
    (version) => (rope, input) =>
      atLeast(version, '0.32') && /^qwen3_(vl|5)/.test(input.geometry.modelType)
        ? yarn(rope, input)
        : {
            unsaid:
              'the ramp of YaRN is made from 4 x the original window for multimodal positions, but for Qwen3-VL and Qwen3.5 since 0.32',
          },
  ),
  LATENT,
  {
    // Other classes are not known to take it: some run in transformers, which has no such type.
    has: ({ geometry }: EmitInput) => !TAKES_MIXED_B.has(geometry.modelType),
    support: () => {
      const { 'ntk-mixed': _, ...rest } = SUPPORT;
      return rest;
    },
  },
]);

/** Model types whose own class in vLLM was seen to make the table of `mixed_b`. */
const TAKES_MIXED_B: ReadonlySet<string> = new Set([
  ...['llama', 'mistral', 'ministral3', 'qwen2', 'qwen3', 'phi3', 'gemma3_text', 'glm4'],
  'glm4_moe',
]);

const ENGINE = Object.freeze({ support: SUPPORT, families: FAMILIES });

function blocksOf(input: EmitInput, version: Version): Block | Unsaid {
  const blockOf = (group: EmitGroup): Block | Unsaid => servedBlock(group, input, ENGINE, version);
  if (planOf(input).kind !== 'per-layer') return blockOf(input.groups[0]);
  const blocks = input.groups.map((group) => [group.layerType, blockOf(group)] as const);
  const unsaid = blocks.map(([, block]) => block).find(isUnsaid);
  return unsaid ?? { ...otherLayers(input), ...Object.fromEntries(blocks) };
}

/** Keeps the blocks of layer types without layers, and of those that do not rotate (null). */
function otherLayers({ raw, groups }: EmitInput): Block {
  const given = own(shapeOf(raw).at, 'rope_parameters') ?? {};
  return Object.fromEntries(
    Object.entries(given).filter(
      ([key, value]) =>
        typeof value === 'object' && !groups.some(({ layerType }) => layerType === key),
    ),
  );
}

/** Writes the block under the names that a version reads: both, before transformers 5. */
function overridesOf(input: EmitInput, block: Block, version: Version): Block {
  if (!atLeast(version, BOTH_BLOCKS)) return olderForm(input, block);
  const perLayer = planOf(input).kind === 'per-layer';
  if (atLeast(version, TRANSFORMERS_5) || perLayer) return { rope_parameters: block };
  // transformers 5 has one property of two names, so that the last one must hold the block.
  return { ...olderForm(input, block), rope_parameters: block };
}

function olderForm(input: EmitInput, { rope_theta: theta, ...block }: Block): Block {
  const scaling = scalingOverride(block, hasBlock(input));
  return { rope_theta: theta, ...(scaling === undefined ? {} : { rope_scaling: scaling }) };
}

/** Scalings that some versions of a range do not know. */
const KNOWN_SINCE: readonly { has: (input: EmitInput) => boolean; since: string }[] = [
  { has: ({ groups }) => groups[0].rope.type === 'proportional', since: PROPORTIONAL },
  { has: (input) => input.groups[0].rope.type === 'yarn' && isMultimodal(input), since: '0.32' },
];

/** The versions that accept the command and read what it sets. */
function versionsOf(input: EmitInput, version: Version): string {
  const { from, to } = RANGES.find((range) => atLeast(version, range.from)) ?? RANGES[2];
  const known = KNOWN_SINCE.find(({ has }) => has(input))?.since ?? from;
  const isWithin = atLeast(parseVersion(known), from) && atLeast(parseVersion(to), known);
  const since = isWithin ? known : from;
  return `vLLM ${since} to ${to}${from === OLDEST ? '' : ', one form for all of them'}`;
}

function launch(input: EmitInput, version: Version, overrides: Block | undefined): Setting {
  const prefix = atLeast(version, BOTH_BLOCKS) ? loadedPrefix(input) : shapeOf(input.raw).prefix;
  return {
    title: 'vLLM',
    versions: versionsOf(input, version),
    kind: 'command',
    text: command(
      ['vllm', 'serve', 'MODEL'],
      [
        ...overrideOption('--hf-overrides', prefix, overrides),
        ['--max-model-len', String(input.length)],
      ],
    ),
  };
}

/**
 * Decides what vLLM derives the length from: YaRN's original window x factor up to 0.29, and
 * `max_position_embeddings` since. The latter also applies to llama3 and longrope, and to Gemma 3
 * whatever the block says. A linear factor multiplies it, even if it was raised already.
 *
 * @see vllm/config/model.py `_get_and_verify_max_len`
 */
function lengthRule({ groups, geometry }: EmitInput, version: Version): LengthRule {
  const { rope } = groups[0];
  if (geometry.modelType.includes('gemma3')) return 'max';
  if (rope.type === 'linear') return 'factor-max';
  return rope.type === 'yarn' && !atLeast(version, '0.30') ? 'factor-original' : 'max';
}

/** Up to 0.29, vLLM reads YaRN's temperature under another name than transformers. */
function readsAsWritten(input: EmitInput, version: Version): boolean {
  return atLeast(version, '0.30') || hasUsualTemperature(input);
}

function notesOf(input: EmitInput, limit: Limit, version: Version): Note[] {
  const { rope } = input.groups[0];
  const notes: Note[] = [lengthNote(input, limit)];
  if (rope.type === 'yarn' && !hasUsualTemperature(input)) {
    notes.push({
      kind: 'ignores',
      text: 'vLLM up to 0.29 reads attn_factor, a multiplier on YaRN’s own temperature, and since 0.30 attention_factor, which takes its place; each ignores the other key, so that both stand in the block.',
    });
  }
  if (rope.type === 'proportional' && !atLeast(version, PROPORTIONAL)) {
    const text = `\`proportional\` is known since vLLM ${PROPORTIONAL}.`;
    notes.push({ kind: 'needs', text });
  }
  notes.push(...(rope.type === 'dynamic' ? dynamicNote(rope, input.length) : staticNotes(input)));
  if (limit.refused) {
    // A factor that does not count cannot solve the problem.
    const instead = limit.rule === 'max' ? '' : '; choose a larger factor instead';
    notes.push({
      kind: 'needs',
      text: `Refuses more than ${limit.derived} tokens unless VLLM_ALLOW_LONG_MAX_MODEL_LEN=1${instead}.`,
    });
    return notes;
  }
  return [...notes, ...coverageNotes(input)];
}

/** Says in one sentence what is served, and what would be without --max-model-len. */
function lengthNote(input: EmitInput, limit: Limit): Note {
  const { rope } = input.groups[0];
  const asked = `Serves ${tokens(input.length)} tokens, as --max-model-len asks`;
  const without = withoutLength(input, limit);
  const text = limit.raised
    ? `${asked}; max_position_embeddings is raised here, for vLLM makes the length of it (${derivation(rope, limit, input)}) and refuses more.`
    : `${asked}${without === input.length ? '; so it would' : `. It would serve ${tokens(without)}`} without (${derivation(rope, limit, input)}).`;
  return { kind: 'derives', text: limit.refused ? refusedText(input, limit) : text };
}

function refusedText(input: EmitInput, limit: Limit): string {
  const { rope } = input.groups[0];
  return `Without --max-model-len vLLM would serve ${limit.derived} tokens (${derivation(rope, limit, input)}).`;
}

/** The length without --max-model-len. longrope starts at an original window at the top level. */
function withoutLength({ groups, raw }: EmitInput, { derived, rule, maxPositions }: Limit): number {
  const { rope } = groups[0];
  if (maxPositions !== undefined) return derivedLength(rule, rope, maxPositions);
  if (rope.type !== 'longrope') return derived;
  const top = own(shapeOf(raw).at, 'original_max_position_embeddings');
  return typeof top === 'number' ? top : derived;
}

function derivation(
  rope: RopeSpec,
  { rule, maxPositions }: Limit,
  { geometry, raw }: EmitInput,
): string {
  const written = rule === 'factor-max' ? maxPositions : undefined;
  const max = `max_position_embeddings ${tokens(written ?? geometry.maxPositions)}`;
  const factor = 'factor' in rope ? rope.factor : 1;
  if (rule === 'factor-original' && rope.type === 'yarn') {
    return `factor ${factor} x original window ${tokens(rope.originalMaxPositions)}`;
  }
  if (rule === 'factor-max') return `factor ${factor} x ${max}`;
  const top = own(shapeOf(raw).at, 'original_max_position_embeddings');
  if (rope.type === 'longrope' && typeof top === 'number') {
    return 'the original window; the factors are chosen at start by the length, for every request';
  }
  return rope.type === 'default' ? max : `${max}; the scaling does not count`;
}
