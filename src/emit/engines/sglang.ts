import { staticAlpha } from '../../rope/kinds/dynamic.js';
import { effectiveTheta } from '../../rope/registry.js';
import { hasBlock, keptKeys, scalingOverride, servingBlock } from '../block.js';
import type { Block } from '../../rope/kind.js';
import { shapeOf, writtenBlock } from '../config-file.js';
import { coverageNotes, type Limit, limitOf, sglangRule } from '../lengths.js';
import { planOf } from '../plan.js';
import { command } from '../shell.js';
import type { EmitInput, Emitter, Note } from '../types.js';

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
  const limit = limitOf(input, sglangRule(rope));
  const theta = effectiveTheta(rope);
  // transformers 5 keeps theta in the block, and SGLang reads the one beside it where there is none.
  const stale = hasBlock(input) || theta !== input.geometry.groups[0]?.rope.theta;
  const scaling = scalingOverride(block, stale);
  const overrides = {
    rope_theta: theta,
    ...(scaling === undefined ? {} : { rope_scaling: scaling }),
    // SGLang refuses a --context-length above what it derives.
    ...(limit.raised ? { max_position_embeddings: input.length } : {}),
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
    notes: [...limitNotes(input, limit), ...thetaNotes(scaling), ...notesOf(input)],
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

function limitNotes(input: EmitInput, limit: Limit): Note[] {
  const { derived } = limit;
  const serves = `SGLang would serve ${derived} tokens`;
  const raised = limit.raised ? ', so max_position_embeddings is raised here' : '';
  const notes: Note[] = [
    {
      kind: 'derives',
      text:
        input.groups[0].rope.type === 'yarn'
          ? `YaRN’s factor does not raise the length, because the block names the original window: ${serves}${raised}.`
          : limit.raised
            ? `${serves}${raised}.`
            : `Without --context-length ${serves}.`,
    },
  ];
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

function notesOf({ groups }: EmitInput): Note[] {
  const { rope } = groups[0];
  const notes: Note[] = [];
  if (rope.type === 'dynamic') {
    const alpha = staticAlpha(rope.factor);
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
