import { effectiveTheta, type RopeSpec, type RopeSpecOf } from '../../rope/registry.js';
import { attnFactorOf, YARN_BETAS } from '../../rope/kinds/yarn.js';
import { coverageNotes } from '../lengths.js';
import { command, decimal } from '../shell.js';
import type { EmitInput, Emitter, Note } from '../types.js';

type Option = readonly [flag: string, value: string];

/** llama.cpp's RoPE options, the same for llama-server and llama-cli. Sources: docs/engines.md. */
export const llamaCpp: Emitter = (input) => {
  const model = unreached(input);
  const reason = model ?? unsaid(input.groups[0].rope);
  if (reason !== undefined) {
    // Another scaling would help only where this one is the reason.
    const other = model === undefined ? '; otherwise choose yarn, linear, ntk or theta' : '';
    return { ok: false, engine: 'llama.cpp', reason, instead: `${CONVERT}${other}.` };
  }
  const { rope } = input.groups[0];
  const theta = effectiveTheta(rope);
  const options: Option[] = [
    ['-c', String(input.length)],
    ...scalingOptions(input),
    ...(theta === input.geometry.groups[0]?.rope.theta
      ? []
      : [['--rope-freq-base', decimal(theta)] as const]),
  ];
  return {
    ok: true,
    engine: 'llama.cpp',
    settings: [
      {
        title: 'llama.cpp',
        versions: 'llama.cpp since December 2025 (ggml-org/llama.cpp#17945)',
        kind: 'command',
        text: command(['llama-server', '-m', 'MODEL.gguf'], options),
      },
    ],
    notes: notesOf(input),
  };
};

function scalingOptions({ groups }: EmitInput): Option[] {
  const { rope } = groups[0];
  if (rope.type === 'linear') {
    return [
      ['--rope-scaling', 'linear'],
      ['--rope-scale', decimal(rope.factor)],
    ];
  }
  if (rope.type !== 'yarn') return [['--rope-scaling', 'none']];
  return [
    ['--rope-scaling', 'yarn'],
    ['--rope-scale', decimal(rope.factor)],
    ['--yarn-orig-ctx', String(rope.originalMaxPositions)],
    ...betaOptions(rope),
  ];
}

function betaOptions(rope: RopeSpecOf<'yarn'>): Option[] {
  return [
    ...(rope.betaFast === YARN_BETAS.fast
      ? []
      : [['--yarn-beta-fast', decimal(rope.betaFast)] as const]),
    ...(rope.betaSlow === YARN_BETAS.slow
      ? []
      : [['--yarn-beta-slow', decimal(rope.betaSlow)] as const]),
  ];
}

const CONVERT =
  'Patch config.json (emit … --engine hf --write) and convert it to GGUF again, where the converter knows the scaling';

/** Models that the options do not reach. */
function unreached({ groups, geometry }: EmitInput): string | undefined {
  if (groups.length > 1) {
    return 'the options do not reach layers with a window, and this model has more than one kind';
  }
  if (geometry.attention.latent) {
    return 'models with latent attention keep their attention scale in the GGUF, and the options do not reach it';
  }
  return undefined;
}

/** What no option can say. */
function unsaid(rope: RopeSpec): string | undefined {
  switch (rope.type) {
    case 'dynamic':
      return 'there is no dynamic scaling: the table never depends on the length';
    case 'llama3':
    case 'longrope':
    case 'proportional':
      return `${rope.type} is stored in the GGUF as a table of factors; no option sets it`;
    case 'yarn':
      if (Math.abs(attnFactorOf(rope) - 1) >= 1e-6) {
        return 'the attention temperature of YaRN follows from the factor; --yarn-attn-factor is overwritten, so an attention factor of its own cannot be set';
      }
      if (!rope.truncate) return 'the ends of YaRN’s ramp are always rounded to whole pairs';
      return undefined;
    default:
      return undefined;
  }
}

function notesOf(input: EmitInput): Note[] {
  const { groups, length } = input;
  const { rope } = groups[0];
  const notes: Note[] = [
    {
      kind: 'needs',
      text: `-c ${length} is needed too: without it the context is the one stored in the GGUF.`,
    },
    {
      kind: 'derives',
      text: 'A GGUF keeps the scaling that config.json had when it was converted; the options replace it.',
    },
    ...coverageNotes(input),
  ];
  if (rope.type !== 'default') {
    notes.push({ kind: 'static', text: 'One table for every length: short requests pay for it.' });
  }
  return notes;
}
