import { finding } from '../findings/index.js';
import type { Source } from './source.js';
import type { NotRope } from './types.js';

type Encoding = NotRope['encoding'];

/** What each way of telling positions apart is called, and what extends it instead. */
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

const TYPES: Readonly<Record<Exclude<Encoding, never>, readonly string[]>> = Object.freeze({
  alibi: ['bloom', 'mpt', 'jina_bert', 'jina_bert_v2', 'baichuan_13b'],
  learned: [
    'gpt2',
    'gpt_bigcode',
    'gpt_neo',
    'openai-gpt',
    'imagegpt',
    'opt',
    'biogpt',
    'bert',
    'roberta',
    'xlm-roberta',
    'xlm-roberta-xl',
    'camembert',
    'distilbert',
    'electra',
    'albert',
    'ernie',
    'convbert',
    'mobilebert',
    'squeezebert',
    'nezha',
    'big_bird',
    'longformer',
    'led',
    'bart',
    'mbart',
    'blenderbot-small',
    'plbart',
    'mvp',
    'clip',
    'clip_text_model',
    'siglip',
    'layoutlm',
    'layoutlmv3',
    'data2vec-text',
    'roberta-prelayernorm',
    'funnel_learned',
    'rembert',
    'canine',
    'splinter',
    'luke',
    'markuplm',
    'megatron-bert',
    'xmod',
    'git',
    'bros',
    'lilt',
    'trocr',
    'vit',
    'deit',
    'beit',
    'whisper',
    'bigbird_pegasus',
    'prophetnet',
    'visual_bert',
  ],
  relative: [
    't5',
    'mt5',
    'umt5',
    'longt5',
    'switch_transformers',
    'udop',
    'pop2piano',
    'mpnet',
    'deberta',
    'deberta-v2',
    'xlnet',
    'transfo-xl',
    'funnel',
    'wavlm',
    'swin',
    'swinv2',
    'inkling_text',
    'inkling2_text',
  ],
  sinusoidal: [
    'ctrl',
    'xlm',
    'flaubert',
    'pegasus',
    'pegasus_x',
    'marian',
    'm2m_100',
    'nllb-moe',
    'xglm',
    'fsmt',
    'speech_to_text',
    'musicgen_decoder',
    'musicgen_melody_decoder',
    'blenderbot',
  ],
  'state-space': ['mamba', 'mamba2', 'falcon_mamba', 'rwkv', 'xlstm', 'rwkv5', 'rwkv6', 'rwkv7'],
  none: ['jamba', 'nemotron_h', 'zamba', 'kimi_linear', 'plamo2', 'glm5_next_text'],
});

/** Model types without RoPE. A Map: model types are untrusted. */
export const NOT_ROPE_TYPES: ReadonlyMap<string, Encoding> = new Map(
  (Object.entries(TYPES) as [Encoding, readonly string[]][]).flatMap(([encoding, types]) =>
    types.map((type) => [type, encoding] as const),
  ),
);

/** The answer for a model without RoPE: a finding that names what it uses and what extends it. */
export function notRope(
  model: Omit<NotRope, 'encoding'> & Pick<Source, 'fields'>,
  encoding: Encoding,
): NotRope {
  const args = { model: model.modelType, encoding, ...WORDS[encoding] };
  return {
    modelType: model.modelType,
    architecture: model.architecture,
    encoding,
    findings: [...model.findings, finding('not_rope', model.fields.at('model_type'), args)],
  };
}
