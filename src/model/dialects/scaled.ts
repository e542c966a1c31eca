import { finding } from '../../findings/index.js';
import { POSITIVE } from '../../json/fields.js';
import { fail, show } from '../../json/parse.js';
import type { Read, RopeBlock } from '../../rope/kind.js';
import { flatBlock } from '../block.js';
import {
  allSlidingTypes,
  type DecoderRules,
  dialect,
  narrowWindow,
  readDecoder,
} from '../decoder.js';
import type { Shape, Source } from '../source.js';
import type { Dialect } from '../types.js';

/**
 * The rules of LLaMA: one block, head_dim or hidden / heads, and theta inside or outside the block.
 * Model types without their own dialect are read this way.
 */
export const plain = dialect({ name: 'plain decoder', modelTypes: [] });

/** LLaMA itself also refuses a width that is not a multiple of its heads. */
const llama = dialect({ name: 'llama', modelTypes: ['llama'] }, { shape: { mustDivide: true } });

/** Classes that refuse every scaling (`RecurrentGemmaRotaryEmbedding`, `Cosmos3EdgeTextConfig`). */
const defaultOnly = dialect(
  {
    name: 'default frequencies only',
    modelTypes: ['recurrent_gemma', 'cosmos3_edge_text'],
    writes: 'fixed',
  },
  { flat: { accepts: ['default'] } },
);

/**
 * Command R was published with `max_position_embeddings` 8192, which sized a buffer, and the window
 * that it was trained on in `model_max_length` (131072), which engines serve.
 */
const cohere = dialect(
  { name: 'model_max_length', modelTypes: ['cohere'] },
  { shape: { alsoKeys: { maxPositions: 'model_max_length' } } },
);

/** Models whose `sliding_window` applies to every layer. */
const allSliding = dialect(
  {
    name: 'sliding window on all layers',
    modelTypes: [
      'mistral',
      'mixtral',
      'ministral',
      'ministral3',
      'starcoder2',
      'openai_privacy_filter',
    ],
  },
  { unlistedTypes: allSlidingTypes },
);

/** Qwen2: layers from `max_window_layers` up slide, if `use_sliding_window` is set. */
const UPPER_SLIDING = windowed((layer, from) => layer >= from);

/** Models with the window of Qwen2. */
const upperSliding = dialect(
  {
    name: 'sliding window on upper layers',
    modelTypes: ['qwen2', 'qwen3', 'qwen3_moe', 'dots1'],
  },
  UPPER_SLIDING,
);

/** Qwen2-MoE: every second layer below `max_window_layers` slides (`Qwen2MoeConfig`). */
const lowerSliding = dialect(
  { name: 'sliding window on every second lower layer', modelTypes: ['qwen2_moe'] },
  windowed((layer, limit) => layer % 2 === 0 && layer < limit),
);

function windowed(slides: (layer: number, maxWindowLayers: number) => boolean): DecoderRules {
  return {
    unlistedTypes: (source, length, shape) => {
      const { fields, modelType } = source;
      // dots1 has no such switch, so there the window alone decides.
      const on = fields.nullableBoolean('use_sliding_window') ?? modelType === 'dots1';
      const rule = { min: 0, max: Number.MAX_SAFE_INTEGER };
      const limit = fields.nullableInteger('max_window_layers', rule) ?? QWEN2_MAX_WINDOW_LAYERS;
      const window = on ? narrowWindow(source, shape) : undefined;
      return Array.from({ length }, (_, layer) =>
        window !== undefined && slides(layer, limit) ? 'sliding_attention' : 'full_attention',
      );
    },
  };
}

/** The class default of Qwen2Config and its relatives. */
const QWEN2_MAX_WINDOW_LAYERS = 28;

const PHI_ALIASES: ReadonlyMap<string, string> = new Map([
  ['su', 'longrope'],
  ['yarn', 'longrope'],
]);

/** Phi-3: accepts longrope only. `su` and `yarn` are older names for it. */
const phi3 = dialect(
  { name: 'longrope only', modelTypes: ['phi3', 'phi4_multimodal'] },
  { block: phiBlock, unlistedTypes: allSlidingTypes },
);

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
const phimoe = dialect(
  { name: 'longrope with two mscales', modelTypes: ['phimoe'] },
  { block: phimoeBlock, unlistedTypes: allSlidingTypes },
);

function phimoeBlock(source: Source): Read<RopeBlock> {
  const extraKeys = ['short_mscale', 'long_mscale'];
  const read = flatBlock(source, { extraKeys });
  const block = read.value;
  if (block.type === 'default') return read;
  for (const key of extraKeys) {
    if (block.fields.nullableNumber(key, POSITIVE.scale) === undefined) {
      fail('missing_field', block.fields.at(key), 'is required by phimoe for a scaled block');
    }
  }
  // This is a fault of the class: `PhimoeRotaryEmbedding.forward` calls its function without a
  // length.
  return { ...read, value: { ...block, shortAtEveryLength: true } };
}

/** Hunyuan: `dynamic` with `alpha` is static NTK-aware scaling. */
const hunyuan = dialect(
  {
    name: 'dynamic with alpha',
    modelTypes: ['hunyuan_v1_dense', 'hunyuan_v1_moe', 'hunyuan_vl_text'],
  },
  {
    flat: {
      extraKeys: ['alpha', 'beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim'],
      aliases: new Map([['xdrope', 'dynamic']]),
    },
  },
);

/**
 * Qwen2-VL: `mrope` splits the pairs among time, height and width. The frequencies are the usual
 * ones, and so is the window of Qwen2's upper layers.
 */
const mrope = dialect(
  {
    name: 'mrope',
    modelTypes: ['qwen2_vl_text', 'qwen2_5_vl_text', 'qwen2_5_omni_text', 'qwen2_vl', 'qwen2_5_vl'],
  },
  { flat: { aliases: new Map([['mrope', 'default']]) }, ...UPPER_SLIDING },
);

const ERNIE_SECTIONS = [22, 22, 20] as const;

/**
 * Ernie 4.5 VL: default frequencies only. The class stores the pairs of the image's height first,
 * then those of its width and of time, so a table taken from it is not sorted.
 */
const ernieVl = Object.freeze<Dialect>({
  name: 'mrope, pairs stored by axis',
  modelTypes: ['ernie4_5_vl_moe_text'],
  read: (source) => {
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

/** MiniMax: `rotary_dim` replaces the partial factor. The older models are hybrids. */
const minimaxM2 = dialect(
  {
    name: 'rotary_dim as a share of head_dim',
    modelTypes: ['minimax_m2', 'minimax_text_01', 'minimax_m1'],
  },
  ({ fields }) => ({
    ...(fields.given('attn_type_list') && { layerTypes: attentionTypes }),
    block: minimaxBlock,
  }),
);

function minimaxBlock(source: Source, { headDim }: Shape): Read<RopeBlock> {
  const rotaryDim = source.fields.nullableInteger('rotary_dim', POSITIVE.headDim);
  if (rotaryDim === undefined) return flatBlock(source);
  return flatBlock(source, { partialDefault: rotaryDim / headDim, partialIsGiven: true });
}

/** Reads `attn_type_list`, in which 1 is attention and 0 is linear attention. */
function attentionTypes(source: Source, layers: number): readonly string[] {
  const list = source.fields.nullableList('attn_type_list') ?? [];
  if (list.length !== layers) {
    const path = source.fields.at('attn_type_list');
    fail('wrong_length', path, `has ${list.length} entries for ${layers} layers`);
  }
  return list.map((value) => (value === 0 ? 'linear_attention' : 'full_attention'));
}

/** The dialects of this file. */
export const SCALED_DIALECTS: readonly Dialect[] = Object.freeze([
  plain,
  llama,
  cohere,
  defaultOnly,
  allSliding,
  upperSliding,
  lowerSliding,
  phi3,
  phimoe,
  hunyuan,
  mrope,
  ernieVl,
  minimaxM2,
]);
