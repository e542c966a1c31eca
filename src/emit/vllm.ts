import { effectiveTheta, servingBlock, type Block } from './block.js';
import { shapeOf } from './config-shape.js';
import { vllmLength } from './lengths.js';
import { command } from './shell.js';
import type { EmitInput, Emitter, Note, Setting } from './types.js';

/** vLLM's `--hf-overrides` and `--max-model-len`. Sources: docs/engines.md. */
export const vllm: Emitter = (input) => {
  const [first, ...others] = input.groups;
  const { rope } = first;
  if (rope.type === 'proportional') {
    return {
      ok: false,
      engine: 'vllm',
      reason: 'vLLM has no rope type `proportional` that an override could name',
      instead: 'Write it into config.json (emit hf) and let the model class read it.',
    };
  }
  const block: Block =
    others.length === 0
      ? blockOf(input)
      : Object.fromEntries(
          input.groups.map((group) => [group.layerType, servingBlock(group.rope, false)]),
        );
  const derived = Math.floor(vllmLength(rope, input.geometry.maxPositions));
  // Without a raised limit vLLM refuses a longer --max-model-len.
  const limit =
    derived < input.length && rope.type !== 'yarn' ? { max_position_embeddings: input.length } : {};
  const settings: Setting[] = [
    {
      title: 'vLLM',
      versions: 'vLLM 0.12 and later',
      kind: 'command',
      text: serve(input, { rope_parameters: block, ...limit }),
    },
  ];
  if (others.length === 0) settings.push(olderSetting(input, limit));
  return { ok: true, engine: 'vllm', settings, notes: notesOf(input, derived) };
};

function blockOf({ groups, geometry }: EmitInput): Block {
  return servingBlock(groups[0].rope, geometry.attention.latent !== undefined);
}

function olderSetting(input: EmitInput, limit: Block): Setting {
  const { rope_theta: theta, ...block } = blockOf(input);
  const scaling = block['rope_type'] === 'default' ? {} : { rope_scaling: block };
  return {
    title: 'vLLM, before rope_parameters',
    versions: 'vLLM 0.8 to 0.11',
    kind: 'command',
    text: serve(input, { rope_theta: theta, ...scaling, ...limit }),
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

function notesOf(input: EmitInput, derived: number): Note[] {
  const { rope } = input.groups[0];
  const current = input.geometry.maxPositions;
  const notes: Note[] = [
    {
      kind: 'derives',
      text: `Without --max-model-len vLLM would serve ${derived} tokens (${derivation(input)}).`,
    },
  ];
  if (rope.type === 'dynamic') {
    const alpha = rope.factor ** 2 - rope.factor + 1;
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
    if (rope.factor * rope.originalMaxPositions < input.length) {
      notes.push({
        kind: 'needs',
        text: `Refuses more than factor x original = ${rope.factor * rope.originalMaxPositions} tokens unless VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.`,
      });
    }
  }
  if ((rope.type === 'linear' || rope.type === 'dynamic') && input.length !== derived) {
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

function derivation({ groups, geometry }: EmitInput): string {
  const { rope } = groups[0];
  if (rope.type === 'yarn') return `factor ${rope.factor} x ${rope.originalMaxPositions}`;
  if (rope.type === 'linear' || rope.type === 'dynamic') {
    return `factor ${rope.factor} x max_position_embeddings ${geometry.maxPositions}`;
  }
  const theta = effectiveTheta(rope);
  return `max_position_embeddings; theta ${theta} says nothing about a length`;
}
