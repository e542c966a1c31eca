import { attnFactorOf, YARN_BETAS } from '../../rope/kinds/yarn.js';
import type { RopeSpec } from '../../rope/registry.js';
import { isUnsaid, sayIn, shapeOf, type Support } from '../block.js';
import { hfPatch } from '../hf-patch.js';
import { coverageNotes, isUnchanged, staticNotes } from '../lengths.js';
import { blockJson, command, INTO_FILE } from '../served.js';
import { type EmitInput, type Emitter, type Note, planOf, type Setting } from '../types.js';

/** Writes two launcher flags of Text Generation Inference, and config.json for the rest. */
export const tgi = Object.freeze<Emitter>({
  aliases: ['text-generation-inference'],
  emit: (input) => {
    const model = unreached(input);
    if (model) return { ok: false, ...model };
    const { rope } = input.groups[0];
    const said = sayIn(SUPPORT, rope, input);
    if (isUnsaid(said)) return { ok: false, reason: said.unsaid, instead: OTHER_SCALING };
    if (said === 'launcher') {
      return { ok: true, settings: [launch(input, rope)], notes: notesOf(input) };
    }
    if (isUnchanged(input) && Object.hasOwn(shapeOf(input.raw).at, 'rope_scaling')) {
      return { ok: true, settings: [launch(input)], notes: notesOf(input) };
    }
    const patch = hfPatch(input, 'v4');
    // TGI does not read what transformers does not. OTHER_SCALING could name the same scaling
    // again.
    if (!patch.ok) return { ok: false, reason: patch.reason, instead: patch.instead };
    if (rope.type === 'longrope') {
      return { ok: true, settings: [launch(input)], notes: [INTO_FILE, ...notesOf(input)] };
    }
    const keys = patch.edits.map(({ path, value }) => [path.at(-1) ?? '', value ?? null] as const);
    const config: Setting = {
      title: 'config.json',
      versions: VERSIONS,
      kind: 'json',
      text: blockJson(Object.fromEntries(keys)),
    };
    return { ok: true, settings: [config, launch(input)], notes: notesOf(input) };
  },
});

/** @param scaling the one that the launcher's options set; config.json sets the others */
function launch({ length }: EmitInput, scaling?: RopeSpec): Setting {
  const options =
    scaling !== undefined && 'factor' in scaling
      ? ([
          ['--rope-scaling', scaling.type],
          ['--rope-factor', String(scaling.factor)],
        ] as const)
      : [];
  return {
    title: 'text-generation-launcher',
    versions: VERSIONS,
    kind: 'command',
    text: command(
      ['text-generation-launcher', '--model-id', 'MODEL'],
      [
        ...options,
        ['--max-total-tokens', String(length)],
        ['--max-input-tokens', String(length - 1)],
      ],
    ),
  };
}

const VERSIONS = 'TGI 3';

const OTHER_SCALING = 'Choose yarn, dynamic, ntk or theta, or another engine.';

/** Says why no scaling reaches a model; undefined if one can. */
function unreached(
  input: EmitInput,
): { readonly reason: string; readonly instead: string } | undefined {
  const plan = planOf(input);
  if (plan.kind === 'none') return { reason: plan.reason, instead: plan.instead };
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

/**
 * One line for each rope type: whether config.json or the launcher sets it. Source:
 * server/text_generation_server/layers/rotary.py of TGI 3.
 */
const SUPPORT: Support<'config' | 'launcher'> = Object.freeze<Support<'config' | 'launcher'>>({
  default: () => 'config',
  ntk: () => 'config',
  dynamic: () => 'launcher',
  llama3: () => 'config',
  longrope: () => 'config',
  linear: () => ({
    unsaid:
      '`linear` is accepted and then not applied: its factor is dropped before the table is built',
  }),
  yarn: (rope) => {
    if (rope.betaFast !== YARN_BETAS.fast || rope.betaSlow !== YARN_BETAS.slow) {
      return { unsaid: 'YaRN’s betas are fixed at 32 and 1' };
    }
    if (rope.attentionFactor !== undefined && Math.abs(attnFactorOf(rope) - 1) >= 1e-6) {
      return {
        unsaid: 'attention_factor is not read; the temperature follows from the factor and mscale',
      };
    }
    if (!rope.truncate)
      return { unsaid: 'the ends of YaRN’s ramp are always rounded to whole pairs' };
    return 'config';
  },
});

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
  if (rope.type === 'yarn' || rope.type === 'ntk') notes.push(...staticNotes(input));
  if (rope.type === 'yarn' && rope.mscale === undefined) {
    notes.push({
      kind: 'derives',
      text: 'The temperature is 0.1 ln(factor) + 1, as in transformers.',
    });
  }
  return notes;
}
