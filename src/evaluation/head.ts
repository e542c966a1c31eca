import { createHash } from 'node:crypto';
import type { EngineInfo, Member } from '../engine/index.js';
import type { EvaluateOptions } from '../evaluate-types.js';
import type { ProbeGeometry } from '../geometry/transfer.js';
import { LOSS_SCALE } from '../probes/measure.js';
import type { Report } from '../report/schema.js';
import type { ReportHead } from './resume.js';
import { referenceGeometry, type Setup } from './setup.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** How the run is made. */
export interface Conditions {
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
  { member, inRange, probe, settings, multiples }: Conditions,
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
