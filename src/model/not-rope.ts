import { finding, type Finding } from '../findings/index.js';
import type { Fields } from '../json/fields.js';
import { readTable, type Source } from './source.js';
import type { NotRope } from './types.js';

type Encoding = NotRope['encoding'];

/** What each position encoding is called, and what extends the context instead of a scaling. */
const WORDS: Readonly<Record<Encoding, { readonly uses: string; readonly instead: string }>> =
  Object.freeze({
    alibi: {
      uses: 'ALiBi, a penalty that grows with distance',
      instead: 'it reads longer sequences as it is, with a growing bias to near tokens',
    },
    learned: {
      uses: 'a learned table of absolute positions',
      instead: 'the table must be enlarged and trained',
    },
    relative: {
      uses: 'learned biases by relative distance',
      instead: 'distances beyond the last bucket share one bias; training extends it',
    },
    sinusoidal: {
      uses: 'fixed sinusoids added to the embeddings',
      instead:
        'the table can be computed for more positions, and the model must be trained on them',
    },
    'state-space': {
      uses: 'a recurrent state in place of attention',
      instead: 'length is limited by what the state holds, not by positions',
    },
    none: {
      uses: 'no position encoding at all',
      instead: 'its order comes from causal masking or from recurrent layers',
    },
  });

/** Model types without RoPE. This is a Map because model types are untrusted. */
export const NOT_ROPE_TYPES: ReadonlyMap<string, Encoding> = new Map(
  Object.entries(readTable('not-rope') as Record<Encoding, readonly string[]>).flatMap(
    ([encoding, types]) => types.map((type) => [type, encoding as Encoding] as const),
  ),
);

/** Values of `position_embedding_type` that classes with their own table of positions accept. */
const CLASS_POSITIONS: readonly unknown[] = [
  'absolute',
  'relative',
  'relative_key',
  'relative_key_query',
];

/** Keys that only code with rotary positions reads. */
const ROTARY_KEYS = ['rotary_emb_base', 'rope_theta', 'rope_scaling', 'rope_parameters'] as const;

/**
 * Reports a key for positions that the class of the model type does not have. Code that ships with
 * the model reads such keys, and then the behaviour of the class is the wrong answer.
 */
export function otherPositions(fields: Fields, modelType: string): readonly Finding[] {
  const named = fields.raw('position_embedding_type');
  const key =
    typeof named === 'string' && !CLASS_POSITIONS.includes(named)
      ? 'position_embedding_type'
      : ROTARY_KEYS.find((rotary) => fields.given(rotary));
  if (key === undefined) return [];
  return [finding('other_positions', fields.at(key), { model: modelType })];
}

/** The answer for a model without RoPE: what it uses, and what extends its context. */
export function notRope(
  model: Pick<Source, 'modelType' | 'architecture' | 'fields'>,
  encoding: Encoding,
): NotRope {
  const args = { model: model.modelType, encoding, ...WORDS[encoding] };
  return {
    modelType: model.modelType,
    architecture: model.architecture,
    encoding,
    findings: [finding('not_rope', model.fields.at('model_type'), args)],
  };
}
