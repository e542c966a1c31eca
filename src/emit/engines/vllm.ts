import { staticAlpha } from '../../rope/kinds/dynamic.js';
import { hasBlock, keptKeys, scalingOverride, servingBlock } from '../block.js';
import type { Block } from '../../rope/kind.js';
import { shapeOf, writtenBlock } from '../config-file.js';
import { coverageNotes, type Limit, limitOf, vllmRule } from '../lengths.js';
import { planOf } from '../plan.js';
import { command } from '../shell.js';
import type { EmitGroup, EmitInput, Emitter, Note, Setting } from '../types.js';

/** vLLM's `--hf-overrides` and `--max-model-len`. Sources: docs/engines.md. */
export const vllm: Emitter = (input) => {
  const { rope } = input.groups[0];
  const plan = planOf(input);
  if (plan.kind === 'none') {
    return { ok: false, engine: 'vllm', reason: plan.reason, instead: plan.instead };
  }
  if (rope.type === 'proportional') {
    return {
      ok: false,
      engine: 'vllm',
      reason: 'vLLM has no rope type `proportional` that an override could name',
      instead: 'Write it into config.json (emit hf) and let the model class read it.',
    };
  }
  const block: Block =
    plan.kind === 'one'
      ? blockOf(plan.group, input)
      : Object.fromEntries(input.groups.map((group) => [group.layerType, blockOf(group, input)]));
  const limit = limitOf(input, vllmRule(rope, input.geometry.modelType));
  // Without a raised limit vLLM refuses a longer --max-model-len.
  const raised = limit.raised ? { max_position_embeddings: input.length } : {};
  const settings: Setting[] = [
    {
      title: 'vLLM',
      versions: 'vLLM 0.12 and later',
      kind: 'command',
      text: serve(input, { rope_parameters: block, ...raised }),
    },
  ];
  if (plan.kind === 'one') settings.push(olderSetting(input, raised));
  return { ok: true, engine: 'vllm', settings, notes: notesOf(input, limit) };
};

/** An override replaces the whole block, so that what describes the model is repeated in it. */
function blockOf({ rope, layerType }: EmitGroup, { geometry, raw }: EmitInput): Block {
  return {
    ...servingBlock(rope, geometry.attention.latent !== undefined),
    ...keptKeys(writtenBlock(shapeOf(raw), layerType)),
  };
}

function olderSetting(input: EmitInput, raised: Block): Setting {
  const { rope_theta: theta, ...block } = blockOf(input.groups[0], input);
  const scaling = scalingOverride(block, hasBlock(input));
  return {
    title: 'vLLM, before rope_parameters',
    versions: 'vLLM 0.8 to 0.11',
    kind: 'command',
    text: serve(input, {
      rope_theta: theta,
      ...(scaling === undefined ? {} : { rope_scaling: scaling }),
      ...raised,
    }),
  };
}

function serve(input: EmitInput, overrides: Block): string {
  const { prefix } = shapeOf(input.raw);
  const nested = prefix.reduceRight<unknown>((value, key) => ({ [key]: value }), overrides);
  return command(
    ['vllm', 'serve', 'MODEL'],
    [
      ['--hf-overrides', JSON.stringify(nested)],
      ['--max-model-len', String(input.length)],
    ],
  );
}

function notesOf(input: EmitInput, limit: Limit): Note[] {
  const { rope } = input.groups[0];
  const { derived } = limit;
  const current = input.geometry.maxPositions;
  const notes: Note[] = [
    {
      kind: 'derives',
      text: limit.raised
        ? `max_position_embeddings is raised here: vLLM would serve ${derived} tokens (${derivation(input, limit)}), and refuse more.`
        : `Without --max-model-len vLLM would serve ${derived} tokens (${derivation(input, limit)}).`,
    },
  ];
  if (rope.type === 'dynamic') {
    const alpha = staticAlpha(rope.factor);
    notes.push({
      kind: 'static',
      text: `Not dynamic: one table for every length, with alpha = factor² - factor + 1 = ${alpha} (vllm-project/vllm#41236). Short requests pay for it; ntk:${alpha} is what runs.`,
    });
  }
  if (rope.type === 'yarn' || rope.type === 'linear' || rope.type === 'ntk') {
    notes.push({ kind: 'static', text: 'One table for every length: short requests pay for it.' });
  }
  if (rope.type === 'yarn') {
    notes.push({
      kind: 'ignores',
      text: 'Ignores attention_factor (vllm-project/vllm#48351), and mscale outside of the DeepSeek models; what differs from YaRN’s own temperature is written as attn_factor, a multiplier on it.',
    });
  }
  if (limit.refused) {
    // A factor that does not count cannot be the remedy.
    const instead = limit.rule === 'max' ? '' : '; choose a larger factor instead';
    notes.push({
      kind: 'needs',
      text: `Refuses more than ${derived} tokens unless VLLM_ALLOW_LONG_MAX_MODEL_LEN=1${instead}.`,
    });
  } else {
    notes.push(...coverageNotes(input));
  }
  if (limit.rule === 'factor-max' && input.length !== derived) {
    notes.push({
      kind: 'derives',
      text: `The factor multiplies max_position_embeddings (${current}), also where that was raised already.`,
    });
  }
  if (rope.type === 'longrope') {
    notes.push({
      kind: 'derives',
      text: `Starts at ${rope.originalMaxPositions} tokens unless --max-model-len asks for more; the factors are chosen at start, for every request.`,
    });
  }
  return notes;
}

function derivation({ groups, geometry }: EmitInput, { rule }: Limit): string {
  const { rope } = groups[0];
  const { maxPositions } = geometry;
  const factor = 'factor' in rope ? rope.factor : 1;
  if (rule === 'factor-original' && rope.type === 'yarn') {
    return `factor ${factor} x ${rope.originalMaxPositions}`;
  }
  if (rule === 'factor-max') return `factor ${factor} x max_position_embeddings ${maxPositions}`;
  return rope.type === 'default'
    ? 'max_position_embeddings'
    : `max_position_embeddings ${maxPositions}; the scaling does not count`;
}
