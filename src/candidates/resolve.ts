import { finding, type Finding } from '../findings/index.js';
import { fail, isRecord, parseConfig, type UnknownRecord } from '../json/parse.js';
import { LAYER_TYPE_KEYS } from '../model/block.js';
import {
  groupBefore,
  referenceRope,
  referenceSoftmaxScale,
  referenceSpecs,
} from '../model/evidence.js';
import { isNotRope, readModel } from '../model/read-model.js';
import { dialectOf } from '../model/registry.js';
import type { LayerGroup, ModelGeometry, Reference } from '../model/types.js';
import { baseOf } from '../rope/kind.js';
import { yarnMscale } from '../rope/kinds/yarn.js';
import {
  effectiveTheta,
  extensionOf,
  keepsItsKind,
  kindOf,
  type RopeSpec,
  SHORTHANDS,
} from '../rope/registry.js';
import {
  type CandidateDefinition,
  type FactorDefinition,
  failCandidate,
  type ResolvedCandidate,
} from './definition.js';

/**
 * Reports what a user should know before trusting a candidate's results.
 *
 * @param trained (groups) what the weights were trained with
 * @param specs (groups) the candidate
 */
export function reportCandidate(
  definition: CandidateDefinition,
  model: ModelGeometry,
  trained: readonly RopeSpec[],
  specs: readonly RopeSpec[],
): readonly Finding[] {
  return model.groups.flatMap((group, index) => {
    const spec = specs[index];
    const own = trained[index];
    if (spec === undefined || own === undefined) return [];
    const found: Finding[] = [];
    if (losesScaling(spec, own)) {
      found.push(
        finding('trained_scaling_discarded', group.layerType, {
          candidate: definition.label,
          trained: own.type,
        }),
      );
    }
    const stretches = JSON.stringify(spec) !== JSON.stringify(own);
    if (group.span.kind !== 'global' && stretches && definition.method !== 'as-configured') {
      found.push(
        finding('candidate_reaches_local_layers', group.layerType, {
          candidate: definition.label,
          layers: group.layers.length,
          span: group.span.kind === 'chunked' ? 'chunked' : 'sliding-window',
          window: group.span.window,
        }),
      );
    }
    return found;
  });
}

/** Whether a candidate drops the trained-in scaling. A static NTK-aware one survives as a theta. */
function losesScaling(spec: RopeSpec, trained: RopeSpec): boolean {
  if (trained.type === 'default' || spec.type === trained.type) return false;
  return trained.type !== 'ntk' || spec.theta !== effectiveTheta(trained);
}

/** How a candidate is resolved, beyond the model and the reference. */
export interface ResolveOptions {
  /** Reads the file of `longrope:FILE`. The caller handles its errors. */
  readonly readFile?: (path: string) => string;
  /**
   * The config before a change, from which the reference was taken; default: the model itself. All
   * candidates except `as-configured` and JSON objects are computed from it.
   */
  readonly before?: ModelGeometry;
}

/**
 * Resolves a candidate on a model: one spec per layer group.
 *
 * Shorthands are computed from what the weights were trained with (see `shorthandSpec`), whatever a
 * change made of the config since. A JSON object is read together with the config around it,
 * exactly as transformers would, so a theta that was only in the replaced block is lost here too.
 * Groups that a scaling cannot reach in this dialect keep what the weights were trained with.
 *
 * @throws RopeEvalError `unsupported_candidate`, `invalid_value`, or any error of `readModel`
 */
export function resolveCandidate(
  definition: CandidateDefinition,
  model: ModelGeometry,
  reference: Reference,
  options: ResolveOptions = {},
): ResolvedCandidate {
  const { before = model } = options;
  const { specs, softmaxScale, findings } = specsOf(definition, model, before, reference, options);
  const trained = referenceSpecs(model, before, reference);
  return {
    label: definition.label,
    definition,
    specs,
    softmaxScaleRatio: softmaxScale / referenceSoftmaxScale(before, reference),
    findings: [...findings, ...reportCandidate(definition, model, trained, specs)],
  };
}

type Resolved = Pick<ResolvedCandidate, 'specs' | 'findings'> & { readonly softmaxScale: number };

function specsOf(
  definition: CandidateDefinition,
  model: ModelGeometry,
  before: ModelGeometry,
  reference: Reference,
  options: ResolveOptions,
): Resolved {
  switch (definition.method) {
    case 'block':
      return literal(definition, definition.block, model);
    case 'longrope':
      return literal(definition, longropeBlock(definition, reference, options), model);
    case 'reference':
      return {
        specs: referenceSpecs(model, before, reference),
        softmaxScale: referenceSoftmaxScale(before, reference),
        findings: [],
      };
    case 'as-configured':
      return {
        specs: model.groups.map(({ rope }) => rope),
        softmaxScale: model.softmaxScale,
        findings: [],
      };
    default: {
      const specs = model.groups.map((group, index) =>
        specFor(definition, groupBefore(group, index, before), reference),
      );
      return { specs, softmaxScale: softmaxOf(before, specs), findings: [] };
    }
  }
}

type Computed = Exclude<
  CandidateDefinition,
  { readonly method: 'block' | 'longrope' | 'as-configured' | 'reference' }
>;

function specFor(definition: Computed, group: LayerGroup, reference: Reference): RopeSpec {
  if (definition.method === 'none') return group.unscaled;
  const trained = referenceRope(group, reference);
  if (group.scalable === false) return trained;
  if (definition.method === 'theta') {
    const base = keepsItsKind(trained) ? trained : group.unscaled;
    return { ...base, theta: definition.theta };
  }
  return shorthandSpec(definition, trained, reference.trainedWindow);
}

/** Returns the candidate's multiplier on q·k; DeepSeek-V3's depends on YaRN's mscale_all_dim. */
function softmaxOf(model: ModelGeometry, specs: readonly RopeSpec[]): number {
  const spec = specs[0];
  if (model.softmaxFollowsYarn !== true || spec?.type !== 'yarn' || !spec.mscaleAllDim) {
    return model.unscaledSoftmaxScale;
  }
  const mscale = yarnMscale(spec.factor, spec.mscaleAllDim);
  return model.unscaledSoftmaxScale * mscale * mscale;
}

function literal(
  definition: CandidateDefinition,
  block: UnknownRecord,
  model: ModelGeometry,
): Resolved {
  const read = readWithBlock(model, block);
  const known = new Set(model.findings.map((found) => JSON.stringify(found)));
  const specs = model.groups.map((group) => {
    const same = read.groups.find((other) => other.layerType === group.layerType);
    const rope = (same ?? read.groups[0] ?? group).rope;
    if (rope.rotaryDim !== group.rope.rotaryDim) {
      failCandidate(
        'unsupported_candidate',
        definition.label,
        `rotates ${rope.rotaryDim} dimensions of a head, the weights ${group.rope.rotaryDim}`,
        'set partial_rotary_factor in the block to what the config has',
      );
    }
    return rope;
  });
  return {
    specs,
    softmaxScale: read.softmaxScale,
    findings: read.findings.filter((found) => !known.has(JSON.stringify(found))),
  };
}

/**
 * Reads the block from a file, which is the block itself or holds it as `rope_scaling` or
 * `rope_parameters`.
 */
export function longropeBlock(
  definition: Extract<CandidateDefinition, { readonly method: 'longrope' }>,
  reference: Reference,
  options: ResolveOptions,
): UnknownRecord {
  if (options.readFile === undefined) {
    failCandidate('unsupported_candidate', definition.label, 'files cannot be read here');
  }
  const record = parseConfig(options.readFile(definition.file), { source: definition.file });
  const inner = [record['rope_scaling'], record['rope_parameters']].find(isRecord) ?? record;
  return {
    original_max_position_embeddings: reference.trainedWindow,
    ...inner,
    rope_type: 'longrope',
  };
}

/**
 * Computes the spec of a shorthand on one layer group.
 *
 * A factor F multiplies the trained window. On unscaled weights, that gives the plain block: factor
 * F, original window = trained window. If the weights were trained with a scaling, the new block
 * must carry both, because a config can hold only one. Its factor is then f x F for a trained-in
 * extension f, and its original window is that of the trained-in scaling, or the trained window / f
 * if that has none. Llama 3.1, for example, was trained with llama3, 8 x 8192; there `yarn:2` is
 * YaRN with factor 8 x 2 and original window 8192, so that slow pairs end up exactly twice as slow
 * as in the weights.
 *
 * A shorthand of the same type continues the scaling: `llama3:2` there is llama3 with factor 16 and
 * the trained-in parameters. Another type drops the trained-in shape of the bands, which the caller
 * reports. A trained-in `ntk` is a larger theta, and every shorthand keeps it.
 *
 * @param trained the spec that the weights were trained with
 * @param trainedWindow tokens
 * @throws RopeEvalError `unsupported_candidate`, `invalid_value`
 */
export function shorthandSpec(
  definition: FactorDefinition,
  trained: RopeSpec,
  trainedWindow: number,
): RopeSpec {
  const made = makeShorthand(definition, trained, trainedWindow);
  if (!('refused' in made)) return made;
  const { kind, problem, hint } = made.refused;
  failCandidate(kind, definition.label, problem, hint);
}

function makeShorthand(definition: FactorDefinition, trained: RopeSpec, trainedWindow: number) {
  const { architecture } = kindOf(trained);
  if (architecture !== undefined) return architecture.scaled(trained, definition);
  const { kind, shorthand } = SHORTHANDS[definition.method];
  const extension = extensionOf(trained);
  return shorthand.make(definition, {
    base: { ...baseOf(trained), theta: effectiveTheta(trained) },
    window: extension.originalMaxPositions ?? trainedWindow / extension.factor,
    factor: extension.factor * definition.factor,
    same: trained.type === kind ? trained : undefined,
  });
}

/**
 * Reads the same config with another scaling block, exactly as transformers would. The block
 * becomes `rope_scaling`, which replaces all of `rope_parameters`, theta included. A block keyed by
 * layer type becomes `rope_parameters`.
 *
 * @param more other keys to set beside the block, e.g. `max_position_embeddings`
 * @throws RopeEvalError as `readModel`
 */
export function readWithBlock(
  model: ModelGeometry,
  block: UnknownRecord,
  more: UnknownRecord = {},
): ModelGeometry {
  const { config, partPath } = model;
  if (config === undefined || partPath === undefined) {
    fail('missing_field', '', 'this geometry was not read from a config');
  }
  const nested = LAYER_TYPE_KEYS.some((key) => isRecord(block[key]));
  const keys = nested
    ? { rope_parameters: block, rope_scaling: null }
    : dialectOf(model.modelType).writes === 'nested'
      ? { rope_parameters: intoGlobalBlock(model, config, partPath, block), rope_scaling: null }
      : { rope_scaling: block };
  const read = readModel(
    replaceAt(config, partPath === '' ? [] : partPath.split('.'), { ...keys, ...more }),
  );
  if (isNotRope(read)) fail('not_rope', '', `${read.modelType} does not use RoPE`);
  return read;
}

function intoGlobalBlock(
  model: ModelGeometry,
  config: UnknownRecord,
  partPath: string,
  block: UnknownRecord,
): UnknownRecord {
  let part: unknown = config;
  for (const key of partPath === '' ? [] : partPath.split('.')) {
    part = isRecord(part) ? part[key] : undefined;
  }
  const given = isRecord(part) ? part['rope_parameters'] : undefined;
  const blocks = Object.fromEntries(
    model.groups.map((group) => [
      group.layerType,
      { rope_type: 'default', rope_theta: group.unscaled.theta },
    ]),
  );
  const all: UnknownRecord = { ...blocks, ...(isRecord(given) ? given : {}) };
  const global = model.groups.find((group) => group.span.kind === 'global') ?? model.groups[0];
  const name = global?.layerType ?? 'full_attention';
  const old = all[name];
  return { ...all, [name]: { ...(isRecord(old) ? old : {}), ...block } };
}

/** Returns a copy of the config with keys set in the object at a path. */
function replaceAt(
  record: UnknownRecord,
  path: readonly string[],
  keys: UnknownRecord,
): UnknownRecord {
  const [first, ...rest] = path;
  if (first === undefined) return { ...record, ...keys };
  const inner = record[first];
  return { ...record, [first]: replaceAt(isRecord(inner) ? inner : {}, rest, keys) };
}
