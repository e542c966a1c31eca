import { createHash } from 'node:crypto';
import { arch, availableParallelism, platform } from 'node:os';
import { versions } from 'node:process';
import { EXIT, RopeEvalError } from '../errors.js';
import type { ProbeGeometry } from '../geometry/transfer.js';
import type { EvaluateOptions } from '../options.js';
import { LOSS_SCALE } from '../probes/measure.js';
import type { Report } from '../report/schema/report.js';
import type { EngineInfo, Member } from '../subjects/bundled/index.js';
import type { JobList, SavedJob } from './jobs.js';
import { referenceGeometry, type Setup } from './setup.js';

/* The report names what it ran on; the one place outside the command line that looks. */

export function runtimeOf(onnxruntime: string): Report['runtime'] {
  return { onnxruntime, node: versions.node, platform: `${platform()}-${arch()}` };
}

/** More threads than this do not make the small decoder faster. */
const MAX_THREADS = 8;

/** Threads of a run that was given no number. */
export function defaultThreads(): number {
  return Math.min(MAX_THREADS, availableParallelism());
}

/** The parts of a report that are known before anything is run. */
export type ReportHead = Pick<
  Report,
  'config' | 'reference' | 'target' | 'settings' | 'probeModel'
>;

type ComparedConditions = ReportHead & Pick<Report, 'tool'>;

/** What saved scores depend on. Candidates are left out: a scaling that is new is run. */
const CONDITIONS: readonly (readonly [string, (run: ComparedConditions) => string])[] =
  Object.freeze([
    ['rope-eval', ({ tool }) => tool.version],
    ['config', ({ config }) => `SHA-256 ${config.sha256.slice(0, 12)}…`],
    ['reference', ({ reference: r }) => `${r.kind}, trained window ${r.trainedWindow}`],
    ['--target', ({ target }) => String(target.tokens)],
    ['lengths', ({ settings }) => settings.ladder.map(({ tokens }) => tokens).join(' ')],
    ['--preset', ({ settings }) => settings.preset],
    ['--samples', ({ settings }) => String(settings.contexts.long)],
    ['--seed', ({ settings }) => String(settings.seed)],
    // Another device or another number of threads rounds the last digits in another way.
    ['--device', ({ settings }) => settings.device],
    ['--device asked for', ({ settings }) => settings.deviceAsked],
    ['--threads', ({ settings }) => String(settings.threads)],
    ['probe model', ({ probeModel: p }) => `${p.name} ${p.weightsSha256.slice(0, 12)}…`],
    ['probe graph', ({ probeModel }) => `${probeModel.graphSha256.slice(0, 12)}…`],
  ]);

/**
 * Takes the finished work of an earlier run over.
 *
 * @throws RopeEvalError `not_comparable`, exit 3, with everything in which that run was another
 */
export function takeOver(jobs: JobList, saved: Report, now: ComparedConditions): void {
  const differences = CONDITIONS.flatMap(([what, read]) => {
    const [there, here] = [read(saved), read(now)];
    return there === here ? [] : [`  ${what}: ${there} there, ${here} here`];
  });
  if (differences.length > 0) {
    throw new RopeEvalError(
      `the report to resume is of another run:\n${differences.join('\n')}`,
      EXIT.runtime,
      'not_comparable',
      '--resume',
      'Run with the options of the first run, or without --resume.',
    );
  }
  jobs.resume((saved.unfinished?.jobs ?? []).filter(isWhole));
}

/** A job whose scores were cut on the way is run again. */
function isWhole({ contexts }: SavedJob): boolean {
  return contexts.every(({ logProbability, correct }) => {
    const [scores, hits] = [Buffer.from(logProbability, 'base64'), Buffer.from(correct, 'base64')];
    return scores.length === hits.length * Float32Array.BYTES_PER_ELEMENT;
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** How the run is made. */
export interface RunConditions {
  readonly member: Member;
  readonly inRange: boolean;
  readonly probe: ProbeGeometry;
  readonly settings: Pick<Report['settings'], 'preset' | 'seed' | 'contexts' | 'threads'>;
  /** The ladder. */
  readonly multiples: readonly number[];
}

/** @param text of the config */
export function reportHead(
  text: string,
  { source = '-', device = 'auto' }: EvaluateOptions,
  setup: Setup,
  engine: EngineInfo,
  { member, inRange, probe, settings, multiples }: RunConditions,
): ReportHead {
  const { criticalFraction, rotaryShare, window } = referenceGeometry(setup);
  const { theta, type } = setup.referenceSpecs[setup.main]!;
  return {
    config: {
      source,
      sha256: sha256(text),
      modelType: setup.model.modelType,
      architecture: setup.model.architecture ?? null,
    },
    reference: { ...setup.reference, criticalFraction, rotaryShare, theta, ropeType: type },
    target: setup.target,
    settings: {
      ...settings,
      device: engine.device,
      deviceAsked: device,
      ladder: multiples.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
    },
    probeModel: {
      name: member.name,
      criticalFraction: member.criticalFraction,
      rotaryShare: member.rotaryShare,
      window: member.window,
      theta: member.theta,
      seed: member.seed,
      weightsSha256: engine.weightsSha256,
      graphSha256: engine.graphSha256,
      inRange,
      heldPairs: probe.held ?? 0,
      lossScale: LOSS_SCALE,
    },
  };
}
