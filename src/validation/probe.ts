import { loadFamily, loadLanguage, nearestMember, openProcess } from '../engine/index.js';
import { JobList } from '../evaluation/jobs.js';
import { contextSets } from '../evaluation/sets.js';
import { windowedLoss } from '../evaluation/summary.js';
import { tablesByRung } from '../evaluation/tables.js';
import { criticalFraction } from '../geometry/critical.js';
import { probeFrequencies } from '../geometry/transfer.js';
import { accuracyByDistance, clusters, reach, type Measurement } from '../probes/measure.js';
import type { PresetPlan } from '../probes/presets.js';
import { mean, resamples } from '../probes/statistics.js';
import type { RopeSpec } from '../rope/types.js';
import type { Geometry } from './results.js';

/** What the probe measured of one scaling at one length; the parts of the score. */
export interface ProbeParts {
  /** Language loss minus the reference's on the same text within its window, nats. */
  readonly language: number;
  /** Facts' loss minus the reference's at 1x, nats. */
  readonly facts: number;
}

export interface ProbeRequest {
  readonly geometry: Geometry;
  /** One entry per scaling, with the lengths (tokens) it is wanted at. */
  readonly scalings: readonly { spec: RopeSpec; lengths: readonly number[] }[];
}

export interface ProbeAnswer {
  readonly member: string;
  readonly inRange: boolean;
  /** (scalings) parts at a length in tokens */
  readonly parts: readonly ReadonlyMap<number, ProbeParts>[];
  /** (scalings) reach as a window multiple on the lengths asked for */
  readonly reach: readonly number[];
}

const SAMPLES: PresetPlan = { short: 1, shortText: 1, long: 16, longText: 8, apart: 0 };

/** Runs every scaling of one model geometry on the nearest member of the family. */
export async function probe(
  request: ProbeRequest,
  options: { threads: number; seed: number; member?: string },
): Promise<ProbeAnswer> {
  const { geometry, scalings } = request;
  const family = await loadFamily();
  const nearest = nearestMember(family, criticalFraction(geometry.theta, geometry.window));
  const member = family.members.find((m) => m.name === options.member) ?? nearest.member;
  const language = await loadLanguage(family);
  const lengths = [geometry.window, ...scalings.flatMap((s) => s.lengths)];
  const multiples = [...new Set(lengths.map((n) => n / geometry.window))].sort((a, b) => a - b);
  const home = multiples.indexOf(1);
  const sets = contextSets(language, member.window, multiples, SAMPLES, options.seed, 1);
  const own = {
    invFreq: probeFrequencies(member.theta, family.shape.head_dim / 2),
    window: member.window,
  };
  const reference: RopeSpec = {
    type: 'default',
    theta: geometry.theta,
    rotaryDim: geometry.headDim,
  };
  const tables = (candidate: RopeSpec, upTo: number) =>
    tablesByRung(
      own,
      { reference, candidate, window: geometry.window, softmaxScaleRatio: 1 },
      multiples.slice(0, upTo + 1),
    );
  const jobs = new JobList();
  const homeTables = tables(reference, home);
  jobs.add(sets.long, homeTables, 'reference');
  jobs.add(sets.windows, [homeTables[home]!], 'reference');
  const planned = scalings.map(({ spec, lengths }) => {
    const last = multiples.indexOf(Math.max(...lengths) / geometry.window);
    const t = tables(spec, last);
    jobs.add(sets.long, t, spec.type);
    jobs.add(sets.longText, t, spec.type);
    return { t, lengths };
  });
  const engine = await openProcess({
    member: member.name,
    device: 'cpu',
    threads: options.threads,
  });
  try {
    await jobs.run(engine, () => {}, undefined);
  } finally {
    await engine.close();
  }
  const all = (m: Measurement): number[] => m.contexts.map((_, i) => i);
  const { lengths: rungTokens } = sets.long;
  const atHome = jobs.measurement(sets.long, homeTables)!;
  const loss = (m: Measurement, kind: 'fact' | 'language', rung: number): number =>
    mean(clusters(m, rungTokens, { kind, rungs: [rung] }, 'loss'), all(m));
  const windows = windowedLoss(
    jobs.measurement(sets.windows, [homeTables[home]!])!,
    sets.windows.lengths[0]!,
    multiples.length,
  );
  const base = clusters(atHome, rungTokens, { kind: 'fact', rungs: [home] }, 'accuracy');
  const draws = resamples(base.length, options.seed, 1);
  const answers = planned.map(({ t, lengths }) => {
    const facts = jobs.measurement(sets.long, t)!;
    const text = jobs.measurement(sets.longText, t)!;
    const parts = new Map(
      lengths.map((n): [number, ProbeParts] => {
        const rung = multiples.indexOf(n / geometry.window);
        const language = loss(text, 'language', rung) - mean(windows[rung]!, all(text));
        return [n, { language, facts: loss(facts, 'fact', rung) - loss(atHome, 'fact', home) }];
      }),
    );
    const rungs = t.map((_, rung) => rung).slice(home);
    const bins = accuracyByDistance(facts, rungTokens, rungs);
    return { parts, reach: multiples[home + reach(bins, base, draws).rung] ?? 0 };
  });
  return {
    member: member.name,
    inRange: nearest.inRange,
    parts: answers.map((a) => a.parts),
    reach: answers.map((a) => a.reach),
  };
}
