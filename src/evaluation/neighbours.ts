import { chooseMember, loadFamily, neighboursOf } from '../engine/index.js';
import type { EvaluateOptions, Progress } from '../evaluate-types.js';
import { PRESETS } from '../probes/presets.js';
import type { NeighbourReport } from '../report/neighbours-schema.js';
import type { Report } from '../report/schema.js';
import { referenceGeometry, setUp } from './setup.js';

/** A neighbour's part of the work, in parts of the main run's: it has the standard contexts. */
const SHARE = PRESETS.standard.long / PRESETS.thorough.long;

export interface NeighbourRuns {
  /** Members to be run after the nearest one. */
  readonly names: readonly string[];
  /** What is other in their runs. */
  readonly share: Pick<EvaluateOptions, 'preset' | 'resume'>;
  /** Options of run `i` (0: the main one) that make one progress of all. */
  during(i: number): Pick<EvaluateOptions, 'onProgress'>;
}

/** The members next to the one that the config is probed on, and other seeds of its geometry. */
export async function neighbourRuns(
  text: string,
  options: EvaluateOptions,
): Promise<NeighbourRuns> {
  const family = await loadFamily();
  const { member } = chooseMember(family, referenceGeometry(setUp(text, options)));
  const names = neighboursOf(family, member).map(({ name }) => name);
  const weights = [1, ...names.map(() => (options.samples === undefined ? SHARE : 1))];
  const { onProgress } = options;
  const before = (i: number): number => weights.slice(0, i).reduce((sum, w) => sum + w, 0);
  const all = before(weights.length);
  return {
    names,
    share: { preset: 'standard', resume: undefined }, // saved work is the main run's
    during: (i) =>
      onProgress
        ? {
            onProgress: ({ done, total, label }: Progress) => {
              const own = total > 0 ? done / total : 0;
              onProgress({
                done: Math.round(total * (before(i) + own * weights[i]!)),
                total: Math.round(total * all),
                label: i === 0 ? label : `${names[i - 1]!}, ${label}`,
              });
            },
          }
        : {},
  };
}

/** What a reader compares between probe models. */
export function summariseNeighbour(report: Report): NeighbourReport {
  const { name, criticalFraction, seed, weightsSha256, heldPairs = 0 } = report.probeModel;
  return {
    probeModel: { name, criticalFraction, seed, weightsSha256, heldPairs },
    recommended: report.recommendation.candidate,
    candidates: report.candidates.map(({ label, role, short, needle, reach, score, verdict }) => ({
      label,
      role,
      shortLossChange: short?.lossChange ?? null,
      needleAtTarget: needle.find((n) => n.multiple === report.target.multiple)?.accuracy ?? null,
      reach,
      score,
      verdict,
    })),
  };
}
