import { defaultCandidates } from '../candidates/default-set.js';
import type { CandidateDefinition, ResolvedCandidate } from '../candidates/definition.js';
import { resolveCandidate } from '../candidates/resolve.js';
import { EXIT, RopeEvalError } from '../errors.js';
import { finding } from '../findings/index.js';
import type { Finding } from '../findings/types.js';
import { criticalFractionOf } from '../geometry/spectrum.js';
import { parseConfig } from '../json/parse.js';
import { readModel, requireRope } from '../model/read-model.js';
import {
  chooseReference,
  groupBefore,
  referenceSoftmaxScale,
  referenceSpecs,
  trainedWindowOf,
} from '../model/reference.js';
import { type ModelGeometry, type Reference, rotaryShare } from '../model/types.js';
import type { EvaluateOptions } from '../options.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import type { Likeness } from '../subjects/bundled/index.js';

/** What is to be compared, before anything is run. */
export interface Setup {
  readonly model: ModelGeometry;
  /** The model that the reference was taken from: the same, or the one before a change. */
  readonly before: ModelGeometry;
  readonly reference: Reference;
  /** (groups) what the weights were trained with. */
  readonly referenceSpecs: readonly RopeSpec[];
  readonly referenceSoftmaxScale: number;
  readonly candidates: readonly ResolvedCandidate[];
  /** Index of the group that decides about long contexts; local-only models: the first. */
  readonly main: number;
  /** No layer sees farther than its local window: longer contexts bring no new distances. */
  readonly localOnly: boolean;
  readonly target: { readonly tokens: number; readonly multiple: number };
  /** About what was asked for, not about the model. */
  readonly findings: readonly Finding[];
  /** Of the contexts, and of the resamples behind the intervals. */
  readonly seed: number;
}

function ropeModel(text: string): ModelGeometry {
  return requireRope(readModel(parseConfig(text)));
}

/**
 * A table of one width cannot be set beside one of another.
 *
 * @throws RopeEvalError `not_comparable` (exit 3)
 */
function assertSameHeads(model: ModelGeometry, before: ModelGeometry): void {
  model.groups.forEach((group, index) => {
    const [was, now] = [groupBefore(group, index, before), group].map((g) => g.rope.rotaryDim);
    if (was === now) return;
    throw new RopeEvalError(
      `the base config rotates ${was} dimensions of a head, this one ${now} (${group.layerType} layers): the two are not configs of the same weights`,
      EXIT.runtime,
      'not_comparable',
      '--base',
      'Compare head_dim, hidden_size / num_attention_heads and partial_rotary_factor of the two; --base takes the config from before a change.',
    );
  });
}

/** Reads the config and decides what is compared with what. */
export function setUp(text: string, options: EvaluateOptions): Setup {
  const model = ropeModel(text);
  // A config from before the change says what the weights were trained with.
  const before = options.base === undefined ? model : ropeModel(options.base);
  const reference = chooseReference(before, {
    ...(options.reference ? { reference: options.reference } : {}),
    ...(options.trainedWindow ? { trainedWindow: options.trainedWindow } : {}),
  });
  assertSameHeads(model, before);
  const wanted = options.target ?? 4 * reference.trainedWindow;
  const nearest = Math.ceil(NEAREST_MULTIPLE * reference.trainedWindow);
  const raised = wanted > reference.trainedWindow && wanted < nearest;
  const target = raised ? nearest : wanted;
  if (target < reference.trainedWindow)
    throw new RopeEvalError(
      `the target of ${target} tokens is shorter than the trained window of ${reference.trainedWindow}`,
      EXIT.usage,
      'target_too_short',
      '--target',
      'Nothing needs scaling inside the trained window; give a longer --target.',
    );
  const multiple = target / reference.trainedWindow;
  if (multiple > MAX_MULTIPLE)
    throw new RopeEvalError(
      `the target of ${target} tokens is more than ${MAX_MULTIPLE} times the trained window, the most that can be probed`,
      EXIT.usage,
      'target_too_long',
      '--target',
      `Use a --target up to ${MAX_MULTIPLE * reference.trainedWindow}.`,
    );
  const definitions: readonly CandidateDefinition[] =
    options.candidates ?? defaultCandidates(multiple, model, reference, before);
  const global = model.groups.findIndex((g) => g.span.kind === 'global');
  const main = Math.max(0, global);
  return {
    model,
    before,
    reference,
    referenceSpecs: referenceSpecs(model, before, reference),
    referenceSoftmaxScale: referenceSoftmaxScale(before, reference),
    candidates: definitions.map((d) => resolveCandidate(d, model, reference, { before })),
    main,
    localOnly: global < 0,
    target: { tokens: target, multiple },
    findings: [
      ...(raised
        ? [finding('target_raised', '', { asked: wanted, target, window: reference.trainedWindow })]
        : []),
    ],
    seed: options.seed ?? 1,
  };
}

/** What decides which probe model stands in: of the weights' own table, on the layers that look farthest. */
export function referenceGeometry({ model, reference, referenceSpecs, main }: Setup): Likeness & {
  /** Tokens. */
  readonly window: number;
} {
  const group = model.groups[main]!;
  const window = trainedWindowOf(group, reference);
  const { invFreq } = computeRope(referenceSpecs[main]!, window);
  return {
    criticalFraction: criticalFractionOf(invFreq, window) ?? 1,
    rotaryShare: rotaryShare(model, group, invFreq),
    window,
  };
}

/** Nearer to the window than this, a probe of 256 tokens has no room for another set of questions. */
const NEAREST_MULTIPLE = 1.1;

/** 32x of the probe's 256 tokens: 8,192 tokens a context. */
export const MAX_MULTIPLE = 32;
