import { effectiveTheta, keptKeys, servingBlock, type Block } from './block.js';
import { shapeOf, writtenBlock } from './config-shape.js';
import { mayRaiseLimit, sglangLength } from './lengths.js';
import { planOf } from './plan.js';
import { command } from './shell.js';
import type { EmitInput, Emitter, Note } from './types.js';

/** SGLang's `--json-model-override-args` and `--context-length`. Sources: docs/engines.md. */
export const sglang: Emitter = (input) => {
  const { rope, layerType } = input.groups[0];
  const refusal = refuse(input);
  if (refusal !== undefined) {
    return {
      ok: false,
      engine: 'sglang',
      reason: refusal,
      instead: 'Write it into config.json: rope-eval emit … --engine hf --write.',
    };
  }
  const block: Block = {
    ...servingBlock(rope, input.geometry.attention.latent !== undefined),
    ...keptKeys(writtenBlock(shapeOf(input.raw), layerType)),
  };
  const derived = Math.floor(sglangLength(rope, input.geometry.maxPositions));
  const raise = derived < input.length && mayRaiseLimit(rope, derived, input.geometry.maxPositions);
  const overrides = {
    rope_theta: effectiveTheta(rope),
    ...(block['rope_type'] === 'default' ? {} : { rope_scaling: block }),
    // SGLang refuses a --context-length above what it derives.
    ...(raise ? { max_position_embeddings: input.length } : {}),
  };
  return {
    ok: true,
    engine: 'sglang',
    settings: [
      {
        title: 'SGLang',
        versions: 'SGLang 0.4.6 and later',
        kind: 'command',
        text: command(
          ['python', '-m', 'sglang.launch_server', '--model-path', 'MODEL'],
          [
            ['--json-model-override-args', JSON.stringify(overrides)],
            ['--context-length', String(input.length)],
          ],
        ),
      },
    ],
    notes: notesOf(input, derived),
  };
};

function refuse(input: EmitInput): string | undefined {
  const plan = planOf(input);
  if (plan.kind === 'none') return plan.reason;
  if (plan.kind === 'per-layer') {
    return 'overrides reach the whole model, and this one has more than one kind of layer';
  }
  if (shapeOf(input.raw).prefix.length > 0) {
    return 'overrides are applied to the top level only; this model keeps its settings in text_config';
  }
  if (input.groups[0].rope.type === 'proportional') return 'there is no rope type `proportional`';
  return undefined;
}

function notesOf(input: EmitInput, derived: number): Note[] {
  const { rope } = input.groups[0];
  const notes: Note[] = [
    {
      kind: 'derives',
      text:
        rope.type === 'yarn'
          ? `YaRN’s factor does not raise the length, because the block names the original window: SGLang would serve ${derived} tokens, so max_position_embeddings is raised here.`
          : `Without --context-length SGLang would serve ${derived} tokens.`,
    },
    {
      kind: 'needs',
      text: 'rope_theta stands in the block as well: with transformers 5 a rope_scaling override replaces the whole block, and theta would fall back to 10000.',
    },
  ];
  if (derived < input.length && !mayRaiseLimit(rope, derived, input.geometry.maxPositions)) {
    notes.push({
      kind: 'needs',
      text: `Refuses more than ${derived} tokens unless SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1; choose a larger factor instead.`,
    });
  }
  if (rope.type === 'dynamic') {
    const alpha = rope.factor ** 2 - rope.factor + 1;
    notes.push({
      kind: 'static',
      text: `Not dynamic: one table for every length, with alpha = factor² - factor + 1 = ${alpha}. Short requests pay for it.`,
    });
  }
  if (rope.type === 'yarn' || rope.type === 'linear' || rope.type === 'ntk') {
    notes.push({ kind: 'static', text: 'One table for every length: short requests pay for it.' });
  }
  if (rope.type === 'yarn') {
    notes.push({
      kind: 'ignores',
      text: 'Ignores attention_factor (sgl-project/sglang#33558); what differs from YaRN’s own temperature is written as attn_factor, a multiplier on it.',
    });
  }
  return notes;
}
