import { own } from '../../json/parse.js';
import type { Block } from '../../rope/kind.js';
import { effectiveTheta } from '../../rope/registry.js';
import { tokens } from '../../text.js';
import {
  blockInForce,
  hasBlock,
  isFlatComposite,
  isUnsaid,
  keptKeys,
  ORIGINAL,
  originalBeside,
  raisedLengths,
  scalingOverride,
  shapeOf,
  temperatureOf,
  yarnBase,
} from '../block.js';
import { intoFile } from '../hf-patch.js';
import {
  coverageNotes,
  derivedLength,
  type LengthRule,
  type Limit,
  limitOf,
  staticNotes,
  unscaledLimit,
} from '../lengths.js';
import { lostFromOverride } from '../read-back.js';
import {
  belongsIntoFile,
  command,
  dynamicNote,
  hasUsualTemperature,
  INTO_FILE,
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
  type EmitInput,
  type Emitter,
  type Note,
  planOf,
  type Setting,
  type Version,
} from '../types.js';

const OLDEST = '0.4.6';
const NEWEST = '0.5.23';

/** Read in this version. Earlier ones were not checked. */
const NESTED_SINCE = '0.5.23';

/** Writes SGLang's `--json-model-override-args`, `--context-length`. Sources: docs/engines.md. */
export const sglang = Object.freeze<Emitter>({
  aliases: [],
  versions: { oldest: OLDEST, newest: NEWEST },
  emit: (input, version) => {
    const [group] = input.groups;
    const limit = limitOf(input, lengthRule(input));
    // SGLang drops attention_factor, and mscale except for the models that introduced it.
    if (needsNoOverride(input) && !limit.raised && hasUsualTemperature(input)) {
      return { ok: true, settings: [launch(input, undefined)], notes: notesOf(input, limit) };
    }
    const refusal = refuse(input, version);
    if (refusal !== undefined) return intoFile(input, refusal);
    if (belongsIntoFile(input)) {
      const notes = [INTO_FILE, ...notesOf(input, limit)];
      return { ok: true, settings: [launch(input, undefined)], notes };
    }
    const block = servedBlock(group, input, ENGINE, version);
    if (isUnsaid(block)) return intoFile(input, block.unsaid);
    const theta = block['rope_theta'];
    // transformers 5 keeps theta in the block. SGLang reads the theta beside it if there is no
    // block.
    const stale =
      hasBlock(input) || theta !== effectiveTheta(input.geometry.groups[0]?.rope ?? group.rope);
    const scaling = needsBlock(input) ? block : scalingOverride(block, stale);
    const merged = scaling && { ...scaling, ...leftNeutral(scaling, input) };
    const overrides = {
      rope_theta: theta,
      ...(merged === undefined ? {} : { rope_scaling: merged }),
      ...originalBeside(input),
      ...limitKeys(input, limit),
    };
    const lost = lostFromOverride(input, overrides);
    if (lost !== undefined) return intoFile(input, lost);
    const notes = [...notesOf(input, limit), ...thetaNotes(scaling)];
    return { ok: true, settings: [launch(input, overrides)], notes };
  },
});

const yarn: SayYarn = (rope) => {
  const temperature = temperatureOf(rope);
  return { ...yarnBase(rope), ...(temperature && { attn_factor: temperature.attn }) };
};

const ENGINE = Object.freeze({
  support: { ...SERVED, yarn },
  families: Object.freeze([LATENT, multimodal(() => yarn)]),
});

/** Whether the model's class requires a block, as those of DeepSeek and gpt-oss do. */
function needsBlock({ geometry }: EmitInput): boolean {
  return geometry.attention.latent !== undefined || geometry.modelType === 'gpt_oss';
}

/** Values that make a leftover key of the current block have no effect. */
const NEUTRAL: Block = Object.freeze({
  factor: 1,
  beta_fast: 32,
  beta_slow: 1,
  truncate: true,
  attn_factor: 1,
  extrapolation_factor: 1,
  mscale: null,
  mscale_all_dim: null,
});

/**
 * Sets leftover keys of the old scaling to their defaults if the new one does not mention them.
 * SGLang 0.5.23 merges an override into the current block, while earlier versions replace the
 * block.
 */
function leftNeutral(said: Block, input: EmitInput): Block {
  const old = blockInForce(input);
  return Object.fromEntries(
    Object.entries(NEUTRAL).filter(([key]) => Object.hasOwn(old, key) && !Object.hasOwn(said, key)),
  );
}

function refuse(input: EmitInput, version: Version): string | undefined {
  const plan = planOf(input);
  if (plan.kind === 'none') return plan.reason;
  if (plan.kind === 'per-layer') {
    return 'overrides reach the whole model, and this one has more than one kind of layer';
  }
  if (shapeOf(input.raw).prefix.length > 0 && !atLeast(version, NESTED_SINCE)) {
    return `overrides are applied to the top level only before SGLang ${NESTED_SINCE}; this model keeps its settings in text_config`;
  }
  if (isFlatComposite(input.raw)) {
    return `an override reaches either the length or the scaling of ${input.geometry.modelType}, whose settings stand at the top of the file and move into text_config when it is loaded`;
  }
  if (input.geometry.modelType.startsWith('qwen3_vl')) {
    return 'the length of a nested override is taken, but its scaling does not reach the class of Qwen3-VL';
  }
  return undefined;
}

function launch(input: EmitInput, overrides: Block | undefined): Setting {
  const { prefix } = shapeOf(input.raw);
  const since = overrides !== undefined && prefix.length > 0 ? NESTED_SINCE : OLDEST;
  return {
    title: 'SGLang',
    versions: since === NEWEST ? `SGLang ${NEWEST}` : `SGLang ${since} to ${NEWEST}`,
    kind: 'command',
    text: command(
      ['python', '-m', 'sglang.launch_server', '--model-path', 'MODEL'],
      [
        ...overrideOption('--json-model-override-args', prefix, overrides),
        ['--context-length', String(input.length)],
      ],
    ),
  };
}

/**
 * Decides what SGLang derives the length from. The factor only counts if the block has no
 * `original_max_position_embeddings` (transformers 5 copies that of the top level into it), so YaRN
 * leaves the length at `max_position_embeddings`.
 *
 * @see python/sglang/srt/utils/hf_transformers_utils.py `get_context_length`
 */
function lengthRule(input: EmitInput): LengthRule {
  const { rope, layerType } = input.groups[0];
  const names =
    own(shapeOf(input.raw).at, ORIGINAL) !== undefined ||
    Object.hasOwn(blockInForce(input), ORIGINAL) ||
    ORIGINAL in keptKeys(input, layerType);
  return rope.type === 'linear' && !names ? 'factor-max' : 'max';
}

function notesOf(input: EmitInput, limit: Limit): Note[] {
  const { rope } = input.groups[0];
  const { derived } = limit;
  const why =
    rope.type === 'yarn'
      ? 'YaRN’s factor does not count, as the block names its window'
      : undefined;
  const notes: Note[] = [
    {
      kind: 'derives',
      text: limit.raised
        ? `Serves ${tokens(input.length)} tokens; ${unscaledLimit(input) === undefined ? 'max_position_embeddings is raised here' : 'model_max_length says so here'}, as SGLang would take ${tokens(derived)} for the limit${why === undefined ? '' : ` (${why})`} and refuse more.`
        : `Without --context-length SGLang would serve ${tokens(derivedLength(limit.rule, rope, limit.maxPositions ?? input.geometry.maxPositions))} tokens${why === undefined ? '' : ` (${why})`}.`,
    },
    ...(rope.type === 'dynamic' ? dynamicNote(rope, input.length) : staticNotes(input)),
  ];
  if (rope.type === 'yarn' && temperatureOf(rope) !== undefined) {
    notes.push({
      kind: 'ignores',
      text: 'Ignores attention_factor (sgl-project/sglang#33558); what differs from YaRN’s own temperature is written as attn_factor, a multiplier on it.',
    });
  }
  if (!limit.refused) return [...notes, ...coverageNotes(input)];
  notes.push({
    kind: 'needs',
    text: `Refuses more than ${derived} tokens unless SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1; choose a larger factor instead.`,
  });
  return notes;
}

/**
 * SGLang refuses a --context-length above the one it derives. A table of linear scaling has factor
 * x max_position_embeddings rows, so its length is set by a key that takes precedence.
 */
function limitKeys(input: EmitInput, { raised, maxPositions }: Limit): Block {
  const unscaled = unscaledLimit(input);
  if (raised && unscaled !== undefined) {
    return { model_max_length: input.length, max_position_embeddings: unscaled };
  }
  return maxPositions === undefined ? {} : raisedLengths(input, maxPositions);
}

function thetaNotes(scaling: Block | null | undefined): Note[] {
  if (scaling === undefined) return [];
  const text =
    scaling === null
      ? 'rope_scaling null clears the block that is in force. With transformers 5 theta stands in one in any case, and the theta beside it is read only where there is none.'
      : 'rope_theta stands in the block as well: with transformers 5 a rope_scaling override replaces the whole block, and theta would fall back to 10000.';
  return [{ kind: 'needs', text }];
}
