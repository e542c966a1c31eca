import { finding, type Finding } from '../../findings/index.js';
import { type Fields, type NumberRule, POSITIVE } from '../../json/fields.js';
import { fail, isRecord, show } from '../../json/parse.js';
import { type Read, type RopeBlock, take } from '../../rope/kind.js';
import { attends, readPartial, readTheta } from '../block.js';
import {
  type DecoderRules,
  dialect,
  isBidirectional,
  readDecoder,
  slidingWindow,
} from '../decoder.js';
import type { LayerRopeDefault, Source } from '../source.js';
import type { Dialect } from '../types.js';

/** How a family with one block per layer type reads older configs. */
export interface PerLayerRules {
  /** Layer types that a flat `rope_scaling` reaches. */
  readonly scalingReaches: readonly string[];
  /** The key of theta outside the blocks, by layer type; none: the class default. */
  readonly thetaKeys: Readonly<Record<string, string>>;
  /** Whether a partial_rotary_factor outside the blocks counts; default true. */
  readonly outerPartial?: boolean;
  /** The default share of a block, if the class has one. */
  readonly partialOf?: (layerType: string, ropeType: string) => number | undefined;
}

/**
 * Reads the blocks of a family with one per layer type. New configs nest them under
 * `rope_parameters`. Older ones have a flat `rope_scaling`, which reaches only some of the types.
 *
 * @throws RopeEvalError `unsupported_for_model` for a flat `rope_parameters`, whose keys
 *   transformers would not read, and for a flat `rope_scaling` in a family that does not have that
 *   form
 */
function perLayerBlocks(
  source: Source,
  types: readonly string[],
  rules: PerLayerRules,
): Read<ReadonlyMap<string, RopeBlock | null>> {
  const names = new Set([
    ...Object.keys(source.defaults?.perLayer ?? {}),
    ...types.filter(attends),
  ]);
  const scaling = source.fields.nullableFields('rope_scaling');
  const parameters = nestedBlocks(source, scaling, rules);
  checkNested(source, parameters, names);
  const findings: Finding[] = [];
  const blocks = [...names].map(
    (type) => [type, take(findings, oneBlock(source, type, rules, scaling, parameters))] as const,
  );
  return { value: new Map(blocks), findings };
}

/**
 * Returns the object that holds the blocks, which is `rope_parameters`. In families without the
 * flat form, a `rope_scaling` replaces all of it, so it must hold a block per layer type too;
 * otherwise transformers stops.
 */
function nestedBlocks(
  source: Source,
  scaling: Fields | undefined,
  { scalingReaches }: PerLayerRules,
): Fields | undefined {
  const replaces = scalingReaches.length === 0 && Object.keys(scaling?.record ?? {}).length > 0;
  return replaces ? scaling : source.fields.nullableFields('rope_parameters');
}

function checkNested(source: Source, parameters: Fields | undefined, names: Set<string>): void {
  if (parameters === undefined) return;
  const keys = Object.keys(parameters.record);
  if (keys.length === 0 || keys.some((key) => names.has(key))) return;
  fail(
    'unsupported_for_model',
    parameters.path,
    `${source.modelType} reads one block per layer type; a flat block is not read`,
    `nest it: {${[...names].map((name) => `"${name}": {...}`).join(', ')}}`,
  );
}

function oneBlock(
  source: Source,
  type: string,
  rules: PerLayerRules,
  scaling: Fields | undefined,
  parameters: Fields | undefined,
): Read<RopeBlock | null> {
  const ofClass = source.defaults?.perLayer?.[type];
  const own = ownBlock(source, type, parameters);
  // If the class gives this type no RoPE, that holds for a config without blocks and for one with a
  // null here. A config whose blocks leave the type out gets a plain block for it.
  const decides = parameters === undefined || parameters.has(type);
  if (own === null && decides && ofClass === null) return { value: null, findings: [] };
  const findings: Finding[] = [];
  const legacy = rules.scalingReaches.includes(type) ? scaling : undefined;
  const supplied = parameters === undefined ? ofClass : undefined;
  const fields =
    take(findings, withLegacy(source, own, legacy)) ?? own ?? classBlock(source, type, supplied);
  const ropeType = typeOf(fields, own);
  const key = 'partial_rotary_factor';
  const theta = ofClass?.theta ?? source.defaults?.theta;
  const block: RopeBlock = {
    fields,
    type: ropeType,
    theta: take(findings, readTheta(source, fields, rules.thetaKeys[type], theta)),
    partial:
      rules.outerPartial === false
        ? (fields.nullableNumber(key, { max: Number.MAX_VALUE }) ??
          rules.partialOf?.(type, ropeType))
        : take(findings, readPartial(source, fields, key, source.defaults?.partial)),
    outerOriginal: undefined,
    nested: true,
  };
  return { value: block, findings };
}

function ownBlock(source: Source, type: string, parameters: Fields | undefined): Fields | null {
  const value = parameters?.raw(type);
  if (value === undefined || value === null) return null;
  if (!isRecord(value)) {
    fail('wrong_type', parameters?.at(type) ?? type, 'must be an object');
  }
  return source.fields.beside(value, parameters?.at(type) ?? type);
}

/**
 * Merges a legacy block into that of one layer type, whose rope_type is `default` already.
 *
 * @returns undefined if there is no legacy block
 */
function withLegacy(
  source: Source,
  own: Fields | null,
  legacy: Fields | undefined,
): Read<Fields | undefined> {
  if (legacy === undefined || Object.keys(legacy.record).length === 0) {
    return { value: undefined, findings: [] };
  }
  const base = own?.record ?? {};
  const untyped =
    !legacy.has('rope_type') && !Object.hasOwn(base, 'rope_type') && legacy.given('type');
  const args = { type: String(legacy.raw('type')), model: source.modelType };
  for (const key of Object.keys(base)) own?.raw(key);
  return {
    value: legacy.beside({ rope_type: 'default', ...base, ...legacy.record }, legacy.path),
    findings: untyped ? [finding('type_not_applied', legacy.at('type'), args)] : [],
  };
}

function classBlock(
  { fields }: Source,
  type: string,
  supplied: LayerRopeDefault | null | undefined,
): Fields {
  const block = {
    rope_type: supplied?.type ?? 'default',
    ...(supplied?.partial !== undefined && { partial_rotary_factor: supplied.partial }),
  };
  return fields.beside(block, fields.at(`rope_parameters.${type}`));
}

/** Reads the rope type, which only a nested block may call `type`. */
function typeOf(fields: Fields, own: Fields | null): string {
  const key = !fields.has('rope_type') && own?.has('type') ? 'type' : 'rope_type';
  const given = fields.has(key) ? fields.raw(key) : 'default';
  if (typeof given !== 'string') {
    fail('wrong_type', fields.at('rope_type'), 'must be the name of a rope type');
  }
  return given;
}

/** Makes the rules of a family with one block per layer type. */
export function perLayer(rules: PerLayerRules, more: DecoderRules = {}): DecoderRules {
  // In families that only accept nested blocks, each type has its own block, and a scaling is
  // written for the global layers.
  const scaled = rules.scalingReaches.length === 0 ? ['full_attention'] : rules.scalingReaches;
  return {
    scalable: (type) => scaled.includes(type),
    ...more,
    blocks: (source, types) => perLayerBlocks(source, types, rules),
  };
}

/** Step 3.5: theta and partial factor are listed per layer, and all layers of a type agree. */
const listedPerLayer = Object.freeze<Dialect>({
  name: 'theta and partial factor listed per layer',
  modelTypes: ['step3p5'],
  writes: 'per-layer',
  read: (source) => readDecoder({ ...source, fields: unfold(source) }, LISTED),
});

const LISTED = perLayer(
  {
    scalingReaches: ['full_attention'],
    thetaKeys: { full_attention: 'rope_theta', sliding_attention: 'rope_theta' },
    outerPartial: false,
  },
  { usesPartial: true },
);

/** Returns the same config with `rope_parameters` per layer type in place of the lists. */
function unfold(source: Source): Fields {
  const { fields } = source;
  const types = fields.nullableList('layer_types') ?? [];
  const theta = fields.raw('rope_theta');
  const partial = fields.nullableList('partial_rotary_factors');
  if (!Array.isArray(theta) && partial === undefined) return fields;
  const blocks: Record<string, Record<string, unknown>> = {};
  types.forEach((type, layer) => {
    if (typeof type !== 'string' || Object.hasOwn(blocks, type)) return;
    const base: unknown = Array.isArray(theta) ? theta[layer] : theta;
    const share = partial?.[layer];
    if (base !== undefined && typeof base !== 'number') {
      fail(
        'wrong_type',
        fields.at(`rope_theta[${layer}]`),
        `must be a number, found ${show(base)}`,
      );
    }
    blocks[type] = {
      rope_type: 'default',
      ...(base !== undefined && { rope_theta: base }),
      ...(share !== undefined && { partial_rotary_factor: share }),
    };
  });
  const own = fields.raw('rope_parameters');
  const rest = Object.fromEntries(
    Object.entries(fields.record).filter(([key]) => key !== 'rope_theta'),
  );
  return fields.beside(
    { ...rest, rope_parameters: { ...blocks, ...(isRecord(own) ? own : {}) } },
    fields.path,
  );
}

/** Gemma 3: rope_theta is for global layers and rope_local_base_freq for local ones. */
const gemma3 = dialect(
  {
    name: 'block per layer type, scaling on global layers',
    modelTypes: ['gemma3_text', 'gemma3n_text', 't5gemma2_text', 't5gemma2_decoder'],
    writes: 'per-layer',
  },
  perLayer(
    {
      scalingReaches: ['full_attention'],
      thetaKeys: { full_attention: 'rope_theta', sliding_attention: 'rope_local_base_freq' },
    },
    {
      // If tokens attend in both directions, half of the window lies on each side, including the
      // token itself.
      window: (source) => {
        const both = slidingWindow(source);
        return both !== undefined && isBidirectional(source) ? Math.floor(both / 2) + 1 : both;
      },
    },
  ),
);

/** Olmo 3: rope_theta reaches the global layers only; local ones keep the class default. */
const olmo3 = dialect(
  { name: 'block per layer type, one theta', modelTypes: ['olmo3'], writes: 'per-layer' },
  perLayer({
    scalingReaches: ['full_attention'],
    thetaKeys: { full_attention: 'rope_theta' },
  }),
);

/** ModernBERT: a flat scaling reaches both layer types. `local_attention` counts both sides. */
const modernbert = dialect(
  {
    name: 'block per layer type, scaling on all layers',
    modelTypes: ['modernbert', 'modernbert-decoder'],
    writes: 'per-layer',
  },
  perLayer(
    {
      scalingReaches: ['full_attention', 'sliding_attention'],
      thetaKeys: { full_attention: 'global_rope_theta', sliding_attention: 'local_rope_theta' },
    },
    {
      window: ({ fields, defaults, modelType }) => {
        const both = fields.nullableInteger('local_attention', POSITIVE.tokens);
        // The class default (64), unlike the key, already counts one side only.
        const side = both === undefined ? defaults?.window : Math.floor(both / 2);
        if (side === undefined) return undefined;
        // If tokens attend in both directions, the half does not include the token itself
        // (ModernBertAttention).
        return modelType === 'modernbert' ? side + 1 : side;
      },
    },
  ),
);

const NESTED_ONLY: PerLayerRules = Object.freeze({
  scalingReaches: [],
  thetaKeys: {},
  outerPartial: false,
});

/** Families that only accept nested blocks. If a config has none, the class supplies one. */
const nestedOnly = dialect(
  {
    name: 'block per layer type, nested only',
    modelTypes: ['laguna', 'mellum', 'ultrabert', 'beam', 'zaya', 'lfm3', 'dory'],
    writes: 'nested',
  },
  perLayer(NESTED_ONLY, { usesPartial: true }),
);

/**
 * MiMo-V2-Flash: sliding layers have twice as many key heads, and `sliding_window_size` does not
 * count the token itself (transformers `MiMoV2FlashConfig`).
 */
const mimoV2 = dialect(
  {
    name: 'block per layer type, more key heads on sliding layers',
    modelTypes: ['mimo_v2_flash'],
    writes: 'nested',
  },
  perLayer(
    {
      ...NESTED_ONLY,
      // A third of a head rotates by unscaled tables, and the whole head by scaled ones.
      partialOf: (_layerType, ropeType) => (ropeType === 'default' ? 0.334 : undefined),
    },
    {
      usesPartial: true,
      kvHeadsOf: (_source, layerType, shape) =>
        layerType === 'sliding_attention' ? 2 * shape.kvHeads : shape.kvHeads,
      window: ({ fields }) => {
        const before = fields.nullableInteger('sliding_window_size', POSITIVE.tokens);
        return before === undefined ? undefined : before + 1;
      },
    },
  ),
);

/** Cohere Compass: global layers whose block is null have no RoPE, which is the default. */
const cohereCompass = dialect(
  {
    name: 'block or null per layer type',
    modelTypes: ['cohere_compass_text'],
    writes: 'nested',
  },
  perLayer(NESTED_ONLY, { shape: { keys: { headDim: 'no_head_dim' } } }),
);

/** NeoMME: like the families above, but with rope_theta outside the blocks. */
const neomme = dialect(
  {
    name: 'block per layer type, outer theta',
    modelTypes: ['neomme'],
    writes: 'nested',
  },
  perLayer(
    {
      ...NESTED_ONLY,
      thetaKeys: { full_attention: 'rope_theta', sliding_attention: 'rope_theta' },
      partialOf: (layerType) => (layerType === 'full_attention' ? 0.25 : undefined),
    },
    { usesPartial: true },
  ),
);

const GEMMA4_GLOBAL_HEAD_DIM = 512;

const GEMMA4: DecoderRules = Object.freeze<DecoderRules>({
  headDimOf: (source, layerType, shape) =>
    layerType === 'full_attention'
      ? (source.fields.integer('global_head_dim', POSITIVE.headDim) ??
        layerOverride(source, 'head_dim', POSITIVE.headDim) ??
        GEMMA4_GLOBAL_HEAD_DIM)
      : shape.headDim,
  kvHeadsOf: (source, layerType, shape) =>
    // With attention_k_eq_v, the global layers have their own number of key heads.
    layerType === 'full_attention' && source.fields.nullableBoolean('attention_k_eq_v') === true
      ? (globalKvHeads(source) ?? shape.kvHeads)
      : shape.kvHeads,
});

const GEMMA4_BLOCKS: PerLayerRules = Object.freeze({ scalingReaches: [], thetaKeys: {} });

/** Gemma 4: global layers have proportional RoPE and a wider head. */
const gemma4 = dialect(
  {
    name: 'proportional RoPE on global layers',
    modelTypes: ['gemma4_text', 'gemma4_unified_text', 'diffusion_gemma_text'],
    writes: 'nested',
  },
  perLayer(GEMMA4_BLOCKS, GEMMA4),
);

/** EmbeddingGemma 2: like Gemma 4, but its global layers have one key head by default. */
const embeddingGemma2 = dialect(
  {
    name: 'proportional RoPE on global layers, one key head',
    modelTypes: ['embedding_gemma2_text'],
    writes: 'nested',
  },
  perLayer(GEMMA4_BLOCKS, {
    ...GEMMA4,
    kvHeadsOf: (source, layerType, shape) =>
      layerType === 'full_attention' ? (globalKvHeads(source) ?? 1) : shape.kvHeads,
  }),
);

function globalKvHeads(source: Source): number | undefined {
  const own = source.fields.nullableInteger('num_global_key_value_heads', POSITIVE.heads);
  return own ?? layerOverride(source, 'num_key_value_heads', POSITIVE.heads);
}

/**
 * Returns a value that transformers 5 writes for each global layer when it saves a config (in
 * `per_layer_config`, which replaces `global_head_dim`). It is the same for all global layers.
 */
function layerOverride({ fields }: Source, key: string, rule: NumberRule): number | undefined {
  const byLayer = fields.nullableFields('per_layer_config');
  const first = Object.keys(byLayer?.record ?? {})[0];
  const layer = first === undefined ? undefined : byLayer?.nullableFields(first);
  return layer?.nullableInteger(key, rule);
}

/** The dialects of this file. */
export const PER_LAYER_DIALECTS: readonly Dialect[] = Object.freeze([
  gemma3,
  olmo3,
  modernbert,
  gemma4,
  embeddingGemma2,
  nestedOnly,
  mimoV2,
  cohereCompass,
  neomme,
  listedPerLayer,
]);
