import { finding } from '../../findings/index.js';
import { BOUNDS, fail, show } from '../../json/parse.js';
import type { Read, RopeBlock } from '../../rope/kind.js';
import { flatBlock } from '../block.js';
import {
  allSlidingTypes,
  type DecoderRules,
  forAllLayers,
  narrowWindow,
  readDecoder,
} from '../decoder.js';
import { eitherKeys, type Shape, type Source } from '../source.js';
import type { Dialect } from '../types.js';

/**
 * The rules of LLaMA: one block, head_dim or hidden / heads, and theta inside or outside the block.
 * Model types without their own dialect are read this way.
 */
export const plain: Dialect = Object.freeze({
  name: 'plain decoder',
  modelTypes: [],
  read: (source: Source) => readDecoder(source),
});

/** LLaMA itself also refuses a width that is not a multiple of its heads. */
export const llama: Dialect = Object.freeze({
  name: 'llama',
  modelTypes: ['llama'],
  read: (source: Source) => readDecoder(source, { shape: { mustDivide: true } }),
});

/** Classes that refuse every scaling (`RecurrentGemmaRotaryEmbedding`, `Cosmos3EdgeTextConfig`). */
export const defaultOnly: Dialect = Object.freeze({
  name: 'default frequencies only',
  modelTypes: ['recurrent_gemma', 'cosmos3_edge_text'],
  writes: 'fixed',
  read: (source: Source) => readDecoder(source, { flat: { accepts: ['default'] } }),
});

/**
 * Command R was published with `max_position_embeddings` 8192, which sized a buffer, and the window
 * that it was trained on in `model_max_length` (131072), which engines serve.
 */
export const cohere: Dialect = Object.freeze({
  name: 'model_max_length',
  modelTypes: ['cohere'],
  read: (source: Source) => {
    const keys = eitherKeys(source, { maxPositions: 'model_max_length' });
    return readDecoder(source, { shape: { keys } });
  },
});

const ALL_SLIDING: DecoderRules = Object.freeze({ layerTypes: allSlidingTypes });

/** Models whose `sliding_window` applies to every layer. */
export const allSliding: Dialect = Object.freeze({
  name: 'sliding window on all layers',
  modelTypes: [
    'mistral',
    'mixtral',
    'ministral',
    'ministral3',
    'starcoder2',
    'openai_privacy_filter',
  ],
  read: (source: Source) =>
    readDecoder(source, source.fields.given('layer_types') ? {} : ALL_SLIDING),
});

/**
 * Models with a sliding window on the layers from `max_window_layers` up, if `use_sliding_window`
 * is set.
 */
export const upperSliding: Dialect = Object.freeze({
  name: 'sliding window on upper layers',
  modelTypes: ['qwen2', 'qwen3', 'qwen3_moe', 'dots1'],
  read: (source: Source) => readDecoder(source, upperSlidingRules(source)),
});

/** Returns the layer types of Qwen2, unless the config lists them. */
export function upperSlidingRules(source: Source): DecoderRules {
  return windowedRules(source, (layer, from) => layer >= from);
}

/**
 * Qwen2-MoE: every second layer below `max_window_layers` slides (transformers `Qwen2MoeConfig`).
 */
export const lowerSliding: Dialect = Object.freeze({
  name: 'sliding window on every second lower layer',
  modelTypes: ['qwen2_moe'],
  read: (source: Source) =>
    readDecoder(
      source,
      windowedRules(source, (layer, limit) => layer % 2 === 0 && layer < limit),
    ),
});

function windowedRules(
  source: Source,
  slides: (layer: number, maxWindowLayers: number) => boolean,
): DecoderRules {
  if (source.fields.given('layer_types')) return {};
  return {
    layerTypes: (inner: Source, layers: number, shape: Shape) => {
      // dots1 has no such switch, so there the window alone decides.
      const on = inner.fields.nullableBoolean('use_sliding_window') ?? inner.modelType === 'dots1';
      const limit =
        inner.fields.nullableInteger('max_window_layers', {
          min: 0,
          max: Number.MAX_SAFE_INTEGER,
        }) ?? DEFAULT_MAX_WINDOW_LAYERS;
      const window = on ? narrowWindow(inner, shape) : undefined;
      return Array.from({ length: layers }, (_, layer) =>
        window !== undefined && slides(layer, limit) ? 'sliding_attention' : 'full_attention',
      );
    },
  };
}

/** The class default of Qwen2Config and its relatives. */
const DEFAULT_MAX_WINDOW_LAYERS = 28;

const PHI_ALIASES: ReadonlyMap<string, string> = new Map([
  ['su', 'longrope'],
  ['yarn', 'longrope'],
]);

/** Phi-3: accepts longrope only. `su` and `yarn` are older names for it. */
export const phi3: Dialect = Object.freeze({
  name: 'longrope only',
  modelTypes: ['phi3', 'phi4_multimodal'],
  read: (source: Source) =>
    readDecoder(source, {
      flat: { aliases: PHI_ALIASES, accepts: ['default', 'longrope'] },
      blocks: (inner, types) => forAllLayers(types, phiBlock(inner)),
      ...(!source.fields.given('layer_types') && { layerTypes: allSlidingTypes }),
    }),
});

function phiBlock(source: Source): Read<RopeBlock> {
  const read = flatBlock(source, { aliases: PHI_ALIASES, accepts: ['default', 'longrope'] });
  const { fields, type } = read.value;
  const written = fields.raw('rope_type') ?? fields.raw('type');
  if (type !== 'longrope' || written === 'longrope') return read;
  const path = fields.at(fields.has('rope_type') ? 'rope_type' : 'type');
  const found = finding('compat', path, { type: String(written) });
  return { ...read, findings: [...read.findings, found] };
}

/** PhiMoE: longrope with an attention scaling for each range. */
export const phimoe: Dialect = Object.freeze({
  name: 'longrope with two mscales',
  modelTypes: ['phimoe'],
  read: (source: Source) =>
    readDecoder(source, {
      blocks: (inner, types) => forAllLayers(types, phimoeBlock(inner)),
      ...(!source.fields.given('layer_types') && { layerTypes: allSlidingTypes }),
    }),
});

function phimoeBlock(source: Source): Read<RopeBlock> {
  const read = flatBlock(source, { extraKeys: ['short_mscale', 'long_mscale'] });
  const block = read.value;
  if (block.type === 'default') return read;
  for (const key of ['short_mscale', 'long_mscale']) {
    const value = block.fields.nullableNumber(key, { above: 0, max: BOUNDS.scale });
    if (value === undefined) {
      fail('missing_field', block.fields.at(key), 'is required by phimoe for a scaled block');
    }
  }
  // This is a fault of the class: `PhimoeRotaryEmbedding.forward` calls its function without a
  // length.
  return { ...read, value: { ...block, shortAtEveryLength: true } };
}

/** Hunyuan: `dynamic` with `alpha` is static NTK-aware scaling. */
export const hunyuan: Dialect = Object.freeze({
  name: 'dynamic with alpha',
  modelTypes: ['hunyuan_v1_dense', 'hunyuan_v1_moe', 'hunyuan_vl_text'],
  read: (source: Source) =>
    readDecoder(source, {
      flat: {
        extraKeys: ['alpha', 'beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim'],
        aliases: new Map([['xdrope', 'dynamic']]),
      },
    }),
});

/**
 * Qwen2-VL: `mrope` splits the pairs among time, height and width. The frequencies are the usual
 * ones, and so is the window of Qwen2's upper layers.
 */
export const mrope: Dialect = Object.freeze({
  name: 'mrope',
  modelTypes: ['qwen2_vl_text', 'qwen2_5_vl_text', 'qwen2_5_omni_text', 'qwen2_vl', 'qwen2_5_vl'],
  read: (source: Source) =>
    readDecoder(source, {
      flat: { aliases: new Map([['mrope', 'default']]) },
      ...upperSlidingRules(source),
    }),
});

const ERNIE_SECTIONS = [22, 22, 20] as const;

/**
 * Ernie 4.5 VL: default frequencies only. The class stores the pairs of the image's height first,
 * then those of its width and of time, so a table taken from it is not sorted.
 */
export const ernieVl: Dialect = Object.freeze({
  name: 'mrope, pairs stored by axis',
  modelTypes: ['ernie4_5_vl_moe_text'],
  read: (source: Source) => {
    const rules = { accepts: ['default'], extraKeys: ['mrope_section'] };
    const model = readDecoder(source, { flat: rules });
    const pairs = (model.groups[0]?.rope.rotaryDim ?? 0) / 2;
    const order = ernieOrder(flatBlock(source, rules).value, pairs);
    return { ...model, pairOrder: order };
  },
});

/**
 * Returns the order in which the pairs are stored: the even and then the odd pairs of the part that
 * the image's axes share, followed by the rest.
 */
function ernieOrder({ fields }: RopeBlock, pairs: number): readonly number[] {
  const sections = fields.nullableList('mrope_section') ?? ERNIE_SECTIONS;
  const sum = sections.reduce<number>((total, part) => total + Number(part), 0);
  const whole = sections.every((part) => Number.isInteger(part) && Number(part) > 0);
  if (sections.length !== 3 || !whole || sum !== pairs) {
    fail(
      'invalid_value',
      fields.at('mrope_section'),
      `must be three numbers that add up to ${pairs} pairs, found ${show(sections)}`,
    );
  }
  const image = pairs - Number(sections[2]);
  const all = Array.from({ length: pairs }, (_, pair) => pair);
  return [
    ...all.filter((pair) => pair < image && pair % 2 === 0),
    ...all.filter((pair) => pair < image && pair % 2 === 1),
    ...all.filter((pair) => pair >= image),
  ];
}

/**
 * MiniMax: `rotary_dim` of `head_dim` replaces the partial factor. The older models are hybrids.
 */
export const minimaxM2: Dialect = Object.freeze({
  name: 'rotary_dim as a share of head_dim',
  modelTypes: ['minimax_m2', 'minimax_text_01', 'minimax_m1'],
  read: (source: Source) =>
    readDecoder(source, {
      ...(source.fields.given('attn_type_list') && { layerTypes: attentionTypes }),
      blocks: (inner, types, shape) => {
        const rotaryDim = inner.fields.nullableInteger('rotary_dim', {
          above: 0,
          max: BOUNDS.headDim,
        });
        const given = rotaryDim !== undefined && {
          partialDefault: rotaryDim / shape.headDim,
          partialIsGiven: true,
        };
        return forAllLayers(types, flatBlock(inner, { ...given }));
      },
    }),
});

/** Reads `attn_type_list`, in which 1 is attention and 0 is linear attention. */
function attentionTypes(source: Source, layers: number): readonly string[] {
  const list = source.fields.nullableList('attn_type_list') ?? [];
  if (list.length !== layers) {
    const path = source.fields.at('attn_type_list');
    fail('wrong_length', path, `has ${list.length} entries for ${layers} layers`);
  }
  return list.map((value) => (value === 0 ? 'linear_attention' : 'full_attention'));
}
