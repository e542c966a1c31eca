import { readDecoder } from '../decoder.js';
import { notRope } from '../not-rope.js';
import { USUAL_KEYS } from '../shape.js';
import type { Source } from '../source.js';
import type { Dialect } from './types.js';

/**
 * Hybrids whose attention layers rotate only where the config asks for it. Their order comes from
 * the state-space layers otherwise; a theta in the file has no effect then.
 */

/** Granite 4 H: `position_embedding_type` is "rope", or "nope" or missing. */
export const graniteHybrid: Dialect = Object.freeze({
  name: 'position_embedding_type, none by default',
  modelTypes: ['granitemoehybrid'],
  read: (source: Source) =>
    source.fields.nullableString('position_embedding_type') === 'rope'
      ? readDecoder(source)
      : notRope(source, 'none'),
});

/** Zamba2: `use_mem_rope`, false by default. */
export const zamba2: Dialect = Object.freeze({
  name: 'use_mem_rope',
  modelTypes: ['zamba2'],
  read: (source: Source) =>
    source.fields.nullableBoolean('use_mem_rope') === true
      ? readDecoder(source, {
          shape: {
            keys: { ...USUAL_KEYS, headDim: 'head_dim' },
            // It attends over the concatenation of two streams.
            derivedHeadDim: (hidden, heads) => Math.floor((2 * hidden) / heads),
          },
          // Hence half of a head counts under the root.
          softmax: { queryDim: (_source, shape) => shape.headDim / 2 },
        })
      : notRope(source, 'none'),
});
