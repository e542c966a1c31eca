import { finding, type Finding } from '../findings/index.js';
import { isRecord, parseConfig, type UnknownRecord } from '../json/parse.js';
import {
  groupBefore,
  referenceRope,
  referenceSoftmaxScale,
  referenceSpecs,
} from '../model/reference.js';
import type { LayerGroup, ModelGeometry, Reference } from '../model/types.js';
import { readWithBlock } from '../model/with-block.js';
import { yarnMscale } from '../rope/kinds/yarn.js';
import { effectiveTheta, keepsItsKind, type RopeSpec } from '../rope/registry.js';
import { type CandidateDefinition, failCandidate, type ResolvedCandidate } from './definition.js';
import { shorthandSpec } from './shorthand.js';

/**
 * What a user should know before believing the row.
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

/** Whether nothing of the trained-in scaling is left; a static NTK-aware one lives on as a theta. */
function losesScaling(spec: RopeSpec, trained: RopeSpec): boolean {
  if (trained.type === 'default' || spec.type === trained.type) return false;
  return trained.type !== 'ntk' || spec.theta !== effectiveTheta(trained);
}

export interface ResolveOptions {
  /** Reads the file of `longrope:FILE`; errors are the caller's. */
  readonly readFile?: (path: string) => string;
  /**
   * The config from before a change, which the reference was taken from; default: the model
   * itself. Everything but `as-configured` and JSON objects is computed from it.
   */
  readonly before?: ModelGeometry;
}

/**
 * A candidate on a model: one spec per layer group.
 *
 * Shorthands are computed from what the weights were trained with (see `shorthandSpec`), whatever a
 * change made of the config since; a JSON object is read with the
 * config around it, literally as transformers would, so that a theta which stood only in the
 * replaced block is lost there too. Groups that the dialect keeps out of reach stay as the weights
 * know them.
 *
 * @throws RopeEvalError `unsupported_candidate`, `invalid_value`, or what `readModel` throws
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
  { readonly method: 'block' | 'longrope' | 'as-configured' }
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

/** The multiplier on q·k under the candidate; DeepSeek-V3's follows YaRN's mscale_all_dim. */
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

/** The block in a file: the file itself, or its `rope_scaling` / `rope_parameters`. */
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
