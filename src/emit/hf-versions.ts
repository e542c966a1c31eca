import type { RopeSpecOf } from '../rope/types.js';
import { maxPositionsFor } from './lengths.js';
import type { EmitInput, Note } from './types.js';

/**
 * Which transformers 4 compute what a `rope_scaling` says. The code of YaRN and longrope changed
 * within 4, and with it the keys that count. Read in `modeling_rope_utils.py` of one release of each
 * minor version from 4.45 to 4.57, and of 5.23.0.
 */
export interface V4Versions {
  readonly versions: string;
  readonly notes: readonly Note[];
}

/** For the file as it is after the patch. */
export function v4Versions(input: EmitInput): V4Versions {
  const { rope } = input.groups[0];
  const max = maxPositionsFor(input);
  if (rope.type === 'yarn') return yarnVersions(rope, max);
  if (rope.type === 'longrope') return longropeVersions(rope, max);
  return { versions: `transformers 4.45 and later${CONVERTED}`, notes: [] };
}

const CONVERTED = ' (5 converts it when it loads)';

interface Era {
  readonly from: string;
  /** Undefined: up to now. */
  readonly to?: string;
  readonly holds: boolean;
}

function yarnVersions(rope: RopeSpecOf<'yarn'>, max: number): V4Versions {
  const original = rope.originalMaxPositions;
  const stretched = original * rope.factor;
  const sameStart = original === max;
  const sameFactor = max === stretched;
  const hasMscale = rope.mscale !== undefined || rope.mscaleAllDim !== undefined;
  const notes: string[] = [];
  if (!sameStart) {
    notes.push(
      `transformers 4.45 to 4.50 do not read original_max_position_embeddings: YaRN's ramp starts from max_position_embeddings there, ${max} in place of ${original}.`,
    );
  }
  if (!sameFactor) {
    const got = Number((max / original).toPrecision(6));
    notes.push(
      `transformers 4.51 to 4.55 replace the factor by max_position_embeddings / original_max_position_embeddings, here ${got}${got === 1 ? ': no scaling at all' : ''}. There max_position_embeddings must be ${stretched}.`,
    );
  }
  if (hasMscale) notes.push('transformers 4.45 to 4.50 do not read mscale and mscale_all_dim.');
  if (!rope.truncate) notes.push('transformers 4.45 to 4.54 do not read truncate.');
  return {
    versions: spans([
      { from: '4.45', to: '4.50', holds: sameStart && !hasMscale && rope.truncate },
      { from: '4.51', to: '4.54', holds: sameFactor && rope.truncate },
      { from: '4.55', to: '4.55', holds: sameFactor },
      { from: '4.56', holds: true },
    ]),
    notes: notes.map(ignored),
  };
}

/** Up to 4.57 the factor is max / original wherever the top level has the original window. */
function longropeVersions(rope: RopeSpecOf<'longrope'>, max: number): V4Versions {
  const stretched = rope.originalMaxPositions * rope.factor;
  // The factor decides the attention scaling only.
  if (max === stretched || rope.attentionFactor !== undefined) {
    return { versions: `transformers 4.48 and later${CONVERTED}`, notes: [] };
  }
  return {
    versions: 'transformers 5, which converts it when it loads',
    notes: [
      ignored(
        `transformers 4 replaces the factor by max_position_embeddings / original_max_position_embeddings, and its attention scaling follows. There max_position_embeddings must be ${stretched}.`,
      ),
    ],
  };
}

function ignored(text: string): Note {
  return { kind: 'ignores', text };
}

/** The eras that hold, neighbours joined: `transformers 4.45 to 4.50, 4.56 and later`. */
function spans(eras: readonly Era[]): string {
  const joined: Era[] = [];
  let last: Era | undefined;
  for (const era of eras) {
    if (era.holds && last?.holds) joined[joined.length - 1] = { ...era, from: last.from };
    else if (era.holds) joined.push(era);
    last = era.holds ? joined.at(-1) : era;
  }
  const texts = joined.map(({ from, to }) => {
    if (to === undefined) return `${from} and later`;
    return from === to ? from : `${from} to ${to}`;
  });
  return `transformers ${texts.join(', ')}${CONVERTED}`;
}
