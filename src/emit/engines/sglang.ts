import { tokens } from '../../numbers.js';
import type { Block } from '../../rope/kind.js';
import { effectiveTheta, type RopeSpec, scalingBlock } from '../../rope/registry.js';
import {
  dynamicAsTheta,
  hasBlock,
  isUnsaid,
  sayIn,
  scalingOverride,
  type Support,
  temperatureOf,
  thetaBlock,
  wholeBlock,
  yarnBase,
} from '../block.js';
import { shapeOf } from '../config-file.js';
import {
  belongsIntoFile,
  dynamicNote,
  INTO_FILE,
  needsNoOverride,
  overrideJson,
} from '../launch.js';
import { coverageNotes, type LengthRule, type Limit, limitOf, staticNotes } from '../lengths.js';
import { planOf } from '../plan.js';
import { command } from '../shell.js';
import type { Answer, EmitInput, Emitter, Note, Setting } from '../types.js';

const OLDEST = '0.4.6';
const NEWEST = '0.5.23';

/** SGLang's `--json-model-override-args` and `--context-length`. Sources: docs/engines.md. */
export const sglang: Emitter = Object.freeze({
  aliases: [],
  versions: { oldest: '0.4', newest: '0.5' },
  emit: (input: EmitInput): Answer => {
    const [group] = input.groups;
    const limit = limitOf(input, lengthRule(group.rope));
    if (needsNoOverride(input) && !limit.raised && readsAsWritten(input)) {
      return { ok: true, settings: [launch(input, undefined)], notes: notesOf(input, limit) };
    }
    const refusal = refuse(input);
    if (refusal !== undefined) return intoFile(refusal);
    if (belongsIntoFile(input)) {
      const notes = [INTO_FILE, ...notesOf(input, limit)];
      return { ok: true, settings: [launch(input, undefined)], notes };
    }
    const said = sayIn(SUPPORT, group.rope, input);
    if (isUnsaid(said)) return intoFile(said.unsaid);
    const block = wholeBlock(said, group, input);
    const theta = block['rope_theta'];
    // transformers 5 keeps theta in the block, and SGLang reads the one beside it where there is none.
    const stale =
      hasBlock(input) || theta !== effectiveTheta(input.geometry.groups[0]?.rope ?? group.rope);
    const scaling = scalingOverride(block, stale);
    const overrides = {
      rope_theta: theta,
      ...(scaling === undefined ? {} : { rope_scaling: scaling }),
      // SGLang refuses a --context-length above what it derives.
      ...(limit.raised ? { max_position_embeddings: input.length } : {}),
    };
    const notes = [...notesOf(input, limit), ...thetaNotes(scaling)];
    return { ok: true, settings: [launch(input, overrides)], notes };
  },
});

/** One line a rope type that an override can name. */
const SUPPORT: Support<Block> = Object.freeze({
  default: thetaBlock,
  ntk: thetaBlock,
  dynamic: (rope, { length }) => ({
    rope_type: 'default',
    rope_theta: dynamicAsTheta(rope, length).theta,
  }),
  linear: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  llama3: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  longrope: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  yarn: (rope, { geometry }) => {
    // Models with latent attention read mscale themselves.
    if (geometry.attention.latent) return { ...scalingBlock(rope), rope_theta: rope.theta };
    const temperature = temperatureOf(rope);
    return { ...yarnBase(rope), ...(temperature && { attn_factor: temperature.attn }) };
  },
});

function intoFile(reason: string): Answer {
  return {
    ok: false,
    reason,
    instead: 'Write it into config.json: rope-eval emit … --engine hf --write.',
  };
}

function refuse(input: EmitInput): string | undefined {
  const plan = planOf(input);
  if (plan.kind === 'none') return plan.reason;
  if (plan.kind === 'per-layer') {
    return 'overrides reach the whole model, and this one has more than one kind of layer';
  }
  if (shapeOf(input.raw).prefix.length > 0) {
    return 'overrides are applied to the top level only; this model keeps its settings in text_config';
  }
  return undefined;
}

/** SGLang drops attention_factor, and mscale outside of the models that came with it. */
function readsAsWritten({ groups, geometry }: EmitInput): boolean {
  return (
    geometry.attention.latent !== undefined ||
    groups.every(({ rope }) => rope.type !== 'yarn' || temperatureOf(rope) === undefined)
  );
}

function launch({ length }: EmitInput, overrides: Block | undefined): Setting {
  return {
    title: 'SGLang',
    versions: `SGLang ${OLDEST} to ${NEWEST}`,
    kind: 'command',
    text: command(
      ['python', '-m', 'sglang.launch_server', '--model-path', 'MODEL'],
      [
        ...(overrides === undefined
          ? []
          : [['--json-model-override-args', overrideJson(overrides)] as const]),
        ['--context-length', String(length)],
      ],
    ),
  };
}

/**
 * The factor counts only where the block has no `original_max_position_embeddings`, so that YaRN
 * leaves the length at `max_position_embeddings`.
 *
 * @see python/sglang/srt/utils/hf_transformers_utils.py `get_context_length`
 */
function lengthRule(rope: RopeSpec): LengthRule {
  return rope.type === 'linear' ? 'factor-max' : 'max';
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
        ? `Serves ${tokens(input.length)} tokens; max_position_embeddings is raised here, as SGLang would take ${tokens(derived)} for the limit${why === undefined ? '' : ` (${why})`} and refuse more.`
        : `Without --context-length SGLang would serve ${derived} tokens${why === undefined ? '' : ` (${why})`}.`,
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

function thetaNotes(scaling: Block | null | undefined): Note[] {
  if (scaling === undefined) return [];
  const text =
    scaling === null
      ? 'rope_scaling null clears the block that is in force. With transformers 5 theta stands in one in any case, and the theta beside it is read only where there is none.'
      : 'rope_theta stands in the block as well: with transformers 5 a rope_scaling override replaces the whole block, and theta would fall back to 10000.';
  return [{ kind: 'needs', text }];
}
