import type { RopeSpec } from '../../rope/registry.js';
import { attnFactorOf, YARN_BETAS } from '../../rope/kinds/yarn.js';
import { shapeOf } from '../config-file.js';
import { hfPatch } from '../hf-patch.js';
import { coverageNotes } from '../lengths.js';
import { planOf } from '../plan.js';
import { command } from '../shell.js';
import type { EmitInput, Emitter, Note, Refusal, Setting } from '../types.js';

/** Text Generation Inference: two launcher flags, and config.json for the rest. */
export const tgi: Emitter = (input) => {
  const model = unreached(input);
  if (model) return { ok: false, engine: 'tgi', ...model };
  const reason = unsaid(input.groups[0].rope);
  if (reason !== undefined) return { ok: false, engine: 'tgi', reason, instead: OTHER_SCALING };
  const patch = hfPatch(input, 'v4');
  // What transformers does not read back, TGI does not either: OTHER_SCALING may name it again.
  if (!patch.ok) return { ...patch, engine: 'tgi' };
  return { ok: true, engine: 'tgi', settings: settingsOf(input), notes: notesOf(input) };
};

function settingsOf(input: EmitInput): Setting[] {
  const { rope } = input.groups[0];
  const lengths = [
    ['--max-total-tokens', String(input.length)],
    ['--max-input-tokens', String(input.length - 1)],
  ] as const;
  const scaling =
    rope.type === 'dynamic'
      ? ([
          ['--rope-scaling', 'dynamic'],
          ['--rope-factor', String(rope.factor)],
        ] as const)
      : [];
  const launch: Setting = {
    title: 'text-generation-launcher',
    versions: VERSIONS,
    kind: 'command',
    text: command(['text-generation-launcher', '--model-id', 'MODEL'], [...scaling, ...lengths]),
  };
  if (rope.type === 'dynamic') return [launch];
  const patch = hfPatch(input, 'v4');
  const edits = patch.ok ? patch.edits : [];
  const keys = Object.fromEntries(
    edits.map(({ path, value }) => [path.at(-1) ?? '', value ?? null] as const),
  );
  return [
    {
      title: 'config.json',
      versions: VERSIONS,
      kind: 'json',
      text: JSON.stringify(keys, null, 2),
    },
    launch,
  ];
}

const VERSIONS = 'TGI 3';

const OTHER_SCALING = 'Choose yarn, dynamic, ntk or theta, or another engine.';

/** Models that no scaling reaches. */
function unreached(input: EmitInput): Pick<Refusal, 'reason' | 'instead'> | undefined {
  const plan = planOf(input);
  if (plan.kind === 'none') return plan;
  const instead = 'Choose another engine.';
  if (plan.kind === 'per-layer') {
    return {
      reason: 'one scaling holds for all layers, and this model has several kinds',
      instead,
    };
  }
  if (shapeOf(input.raw).prefix.length > 0) {
    return { reason: 'the scaling in text_config is not read for all models', instead };
  }
  return undefined;
}

/** Read in server/text_generation_server/layers/rotary.py of TGI 3. */
function unsaid(rope: RopeSpec): string | undefined {
  switch (rope.type) {
    case 'linear':
      return '`linear` is accepted and then not applied: its factor is dropped before the table is built';
    case 'proportional':
      return 'there is no rope type `proportional`';
    case 'yarn':
      if (rope.betaFast !== YARN_BETAS.fast || rope.betaSlow !== YARN_BETAS.slow) {
        return 'YaRN’s betas are fixed at 32 and 1';
      }
      if (rope.attentionFactor !== undefined && Math.abs(attnFactorOf(rope) - 1) >= 1e-6) {
        return 'attention_factor is not read; the temperature follows from the factor and mscale';
      }
      if (!rope.truncate) return 'the ends of YaRN’s ramp are always rounded to whole pairs';
      return undefined;
    default:
      return undefined;
  }
}

function notesOf(input: EmitInput): Note[] {
  const { rope } = input.groups[0];
  const notes: Note[] = [
    {
      kind: 'derives',
      text: 'The defaults of --max-total-tokens and --max-input-tokens follow max_position_embeddings, whatever the scaling says.',
    },
    { kind: 'ignores', text: 'rope_parameters is not read; the block must be rope_scaling.' },
    ...coverageNotes(input),
  ];
  if (rope.type === 'dynamic') {
    notes.push({
      kind: 'derives',
      text: 'Recomputed when a longer sequence than any before arrives, and kept from then on: what a request gets depends on the requests before it.',
    });
  }
  if (rope.type === 'yarn' || rope.type === 'ntk') {
    notes.push({ kind: 'static', text: 'One table for every length: short requests pay for it.' });
  }
  if (rope.type === 'yarn' && rope.mscale === undefined) {
    notes.push({
      kind: 'derives',
      text: 'The temperature is 0.1 ln(factor) + 1, as in transformers.',
    });
  }
  return notes;
}
