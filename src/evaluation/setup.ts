import { arch, availableParallelism, platform } from 'node:os';
import { versions } from 'node:process';
import {
  type CandidateDefinition,
  defaultCandidates,
  type ResolvedCandidate,
} from '../candidates/definition.js';
import { resolveCandidate } from '../candidates/resolve.js';
import { option, RopeEvalError, words } from '../errors.js';
import { finding, type Finding } from '../findings/index.js';
import { criticalFractionOf } from '../geometry/spectrum.js';
import {
  assertSameHeads,
  referenceBefore,
  referenceSoftmaxScale,
  referenceSpecs,
  trainedWindowOf,
} from '../model/evidence.js';
import { readConfig, type ReadConfig, requireRope } from '../model/read-model.js';
import { type ModelGeometry, type Reference, rotaryShare } from '../model/types.js';
import type { EvaluateOptions } from '../options.js';
import { DEFAULT_SEED } from '../probes/presets.js';
import { disagreements, disagreementWords, type MadeBy, RESUMED } from '../report/agreement.js';
import type { Report } from '../report/schema/report.js';
import {
  type Opened,
  scaleGroup,
  type Scaling,
  trainedGroup,
  type TrainedModel,
} from '../subjects/subject.js';
import { isWhole, type QuestionList } from './questions.js';

/* The report names what it ran on. Outside the command line, only this file looks that up. */

/** The small decoder is not faster with more threads than this. */
const MAX_THREADS = 8;

/** The number of threads if the user gave none. */
export function defaultThreads(): number {
  return Math.min(MAX_THREADS, availableParallelism());
}

/** Describes what a run ran on, for the report. */
export function runtimeOf<Version extends string | null>(
  onnxruntime: Version,
): Report['runtime'] & { readonly onnxruntime: Version } {
  return { onnxruntime, node: versions.node, platform: `${platform()}-${arch()}` };
}

/** The settings and the ladder of a run. */
export interface RunConditions {
  readonly settings: Pick<Report['settings'], 'preset' | 'seed' | 'contexts' | 'threads'>;
  readonly multiples: readonly number[];
}

/** Makes the parts of a report that say how it was made, before anything is asked. */
export function reportHead(
  setup: Setup,
  { source = '-', device: deviceAsked = 'auto' }: EvaluateOptions,
  { settings, multiples }: RunConditions,
  { entry, device }: Opened,
  tool: Report['tool'],
): MadeBy {
  const { config, base, model, criticalFraction, rotaryShare } = setup;
  const { reference, window } = setup.groups[setup.decisive]!;
  return {
    tool,
    config: {
      source,
      sha256: config.sha256,
      modelType: model.modelType,
      architecture: model.architecture ?? null,
    },
    reference: {
      ...setup.reference,
      ...(base && {
        base: {
          sha256: base.sha256,
          ...(base.argument !== undefined && { argument: base.argument }),
        },
      }),
      criticalFraction,
      rotaryShare,
      theta: reference.theta,
      ropeType: reference.type,
    },
    target: setup.target,
    settings: {
      ...settings,
      device,
      deviceAsked,
      ladder: multiples.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
    },
    subject: entry,
  };
}

/**
 * Takes over the finished work of an earlier run.
 *
 * @throws RopeEvalError `not_comparable` (exit 3), which lists every difference between the runs
 */
export function takeOver(questions: QuestionList, saved: Report, now: MadeBy): void {
  const differences = disagreements(RESUMED, saved, now);
  if (differences.length > 0) {
    throw new RopeEvalError('not_comparable', {
      option: 'resume',
      problem: ['the report is of another run:', ...disagreementWords(differences)],
      hint: words`Run with the options of the first run, or without ${option('resume')}.`,
    });
  }
  questions.resume((saved.unfinished?.jobs ?? []).filter(isWhole));
}

/** What to compare with what, as decided before anything is run. */
export interface Setup extends TrainedModel {
  readonly config: ReadConfig;
  /** The config before a change, if one was given. */
  readonly base?: ReadConfig | undefined;
  readonly model: ModelGeometry;
  /** The model that the reference was taken from: `model`, or its version before a change. */
  readonly before: ModelGeometry;
  readonly reference: Reference;
  readonly referenceSoftmaxScale: number;
  readonly candidates: readonly ResolvedCandidate[];
  /** No layer sees beyond its local window, so longer contexts bring no new distances. */
  readonly localOnly: boolean;
  readonly target: { readonly tokens: number; readonly multiple: number };
  /** Findings about the request and not about the model. */
  readonly findings: readonly Finding[];
  /** Seed of the contexts, and of the resamples behind the intervals. */
  readonly seed: number;
}

/** Reads the config and the options, and decides what to compare with what. */
export function setUp(given: string | ReadConfig, options: EvaluateOptions): Setup {
  const config = asRead(given);
  const model = requireRope(config.model);
  // The config before a change says what the weights were trained with.
  const base = options.base === undefined ? undefined : asRead(options.base);
  const before = base ? requireRope(base.model) : model;
  assertSameHeads(model, before);
  const reference = referenceBefore(model, before, {
    ...(options.reference ? { reference: options.reference } : {}),
    ...(options.trainedWindow ? { trainedWindow: options.trainedWindow } : {}),
  });
  const { target, findings } = chooseTarget(options.target, reference.trainedWindow);
  const definitions: readonly CandidateDefinition[] =
    options.candidates ?? defaultCandidates(target.multiple, model, reference, before);
  return {
    ...trainedModel(model, before, reference),
    config,
    base,
    model,
    before,
    reference,
    referenceSoftmaxScale: referenceSoftmaxScale(before, reference),
    candidates: definitions
      // The reference is a row of its own in any case.
      .filter(({ method }) => method !== 'reference')
      .map((d) => resolveCandidate(d, model, reference, { before })),
    localOnly: !model.groups.some((g) => g.span.kind === 'global'),
    target,
    findings,
    seed: options.seed ?? DEFAULT_SEED,
  };
}

function asRead(config: string | ReadConfig): ReadConfig {
  return typeof config === 'string' ? readConfig(config) : config;
}

/** Nearer targets are raised, because a probe of 256 tokens has no room for more questions. */
const NEAREST_MULTIPLE = 1.1;

/** 32x of the probe's 256 tokens is 8,192 tokens for each context. */
export const MAX_MULTIPLE = 32;

/** Takes the target that was asked for, or four windows. */
function chooseTarget(
  asked: number | undefined,
  window: number,
): Pick<Setup, 'target' | 'findings'> {
  const wanted = asked ?? 4 * window;
  const nearest = Math.ceil(NEAREST_MULTIPLE * window);
  const raised = wanted > window && wanted < nearest;
  const tokens = raised ? nearest : wanted;
  if (tokens < window)
    throw new RopeEvalError('target_too_short', {
      option: 'target',
      problem: `${tokens} tokens are fewer than the trained window of ${window}`,
      hint: 'Nothing needs scaling inside the trained window; give a longer target.',
    });
  const multiple = tokens / window;
  if (multiple > MAX_MULTIPLE)
    throw new RopeEvalError('target_too_long', {
      option: 'target',
      problem: `${tokens} tokens are more than ${MAX_MULTIPLE} times the trained window, the most that can be probed`,
      hint: `Use a target of at most ${MAX_MULTIPLE * window}.`,
    });
  const findings = raised
    ? [finding('target_raised', '', { asked: wanted, target: tokens, window })]
    : [];
  return { target: { tokens, multiple }, findings };
}

/** Describes what the weights were trained with, and what decides the choice of a probe model. */
function trainedModel(
  model: ModelGeometry,
  before: ModelGeometry,
  reference: Reference,
): TrainedModel {
  const specs = referenceSpecs(model, before, reference);
  const decisive = Math.max(
    0,
    model.groups.findIndex((group) => group.span.kind === 'global'),
  );
  const groups = model.groups.map((group, index) =>
    trainedGroup({
      layerType: group.layerType,
      local: index !== decisive && group.span.kind !== 'global',
      window: trainedWindowOf(group, reference),
      reference: specs[index]!,
    }),
  );
  const { window, referenceTable } = groups[decisive]!;
  const { invFreq } = referenceTable;
  return {
    groups,
    decisive,
    criticalFraction: criticalFractionOf(invFreq, window) ?? 1,
    rotaryShare: rotaryShare(model, model.groups[decisive]!, invFreq),
  };
}

/** Applies a candidate's scaling to every group. @param candidate undefined = the reference */
export function scalingOf(setup: Setup, candidate: ResolvedCandidate | undefined): Scaling {
  return {
    label: candidate?.label ?? 'reference',
    groups: setup.groups.map((trained, index) =>
      scaleGroup(
        trained,
        candidate?.specs[index] ?? trained.reference,
        candidate?.softmaxScaleRatio ?? 1,
      ),
    ),
  };
}
