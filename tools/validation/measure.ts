import { outOfRangeByRung } from '../../src/evaluation/variant.js';
import { criticalFraction } from '../../src/geometry/spectrum.js';
import { runningMaximum } from '../../src/probes/statistics.js';
import { LOSS_SCALE } from '../../src/subjects/bundled/subject.js';
import {
  costOfOne,
  ladders,
  languageChange,
  lossAt,
  type ProbeOptions,
  rungOf,
  runLadder,
  type Samples,
  samplesWithin,
  scalingOf,
  type Wanted,
  withBench,
} from './ladder.js';
import { specOf } from './specs.js';
import type { Geometry, Row } from './types.js';

/** What the probe measured of one scaling at one length; the parts of the score. */
export interface ProbeParts {
  /**
   * Language loss minus the reference's on the same text within its window, nats; beyond the window
   * what it was at a shorter length if that is more, as in a report's score.
   */
  readonly language: number;
  /** What the exact angles add to the score there, nats: `outOfRangeByRung`. */
  readonly outOfRange: number;
  /** Facts' loss minus the reference's at 1x, nats. */
  readonly facts: number;
}

export interface ProbeAnswer {
  readonly member: string;
  /** The geometry lies within the family's range. */
  readonly inRange: boolean;
  /** (scalings) parts at a multiple */
  readonly parts: readonly ReadonlyMap<number, ProbeParts>[];
}

/** Changes by multiple, from 1x on each the worst so far. */
function worstSoFar(changes: ReadonlyMap<number, number>): Map<number, number> {
  const beyond = [...changes].filter(([at]) => at >= 1).sort(([a], [b]) => a - b);
  const most = runningMaximum(beyond.map(([, change]) => change));
  return new Map([...changes, ...beyond.map(([at], i) => [at, most[i]!] as const)]);
}

/** Runs every scaling of one model geometry on the nearest member of the family. */
export async function probe(
  geometry: Geometry,
  scalings: readonly Wanted[],
  samples: Samples,
  options: ProbeOptions,
): Promise<ProbeAnswer> {
  const wanted = scalings.flatMap((s) => s.multiples);
  return withBench(geometry, options, Math.max(...wanted), async (bench) => {
    const facts = scalings.map(() => new Map<number, number>());
    const changes = scalings.map(() => new Map<number, number>());
    let atHome = 0;
    for (const ladder of ladders(wanted)) {
      const here = scalings.flatMap((s, i) =>
        s.multiples.some((m) => ladder.includes(m)) ? [i] : [],
      );
      const run = await runLadder(
        bench,
        here.map((i) => scalings[i]!),
        ladder,
        samples,
      );
      // The first ladder has 1: what every other one is compared with as well.
      if (run.reference) atHome = lossAt(run, run.reference, 'fact', run.home);
      here.forEach((scaling, k) => {
        const last = ladder.findLastIndex((m) => scalings[scaling]!.multiples.includes(m));
        ladder.slice(0, last + 1).forEach((multiple, rung) => {
          changes[scaling]!.set(multiple, languageChange(run, k, rung));
          facts[scaling]!.set(multiple, lossAt(run, run.facts[k]!, 'fact', rung) - atHome);
        });
      });
    }
    const parts = scalings.map(({ spec, multiples }, i) => {
      const worst = worstSoFar(changes[i]!);
      const outOfRange = outOfRangeByRung(scalingOf(geometry, spec), multiples, LOSS_SCALE);
      return new Map(
        multiples.map((m, k) => [
          m,
          { language: worst.get(m)!, outOfRange: outOfRange[k]!, facts: facts[i]!.get(m)! },
        ]),
      );
    });
    return { member: bench.member.name, inRange: bench.inRange, parts };
  });
}

/** One geometry of the file, and the probe model that stood in for it. */
export interface ModelRun {
  readonly entries: readonly string[];
  readonly geometry: Geometry;
  readonly criticalFraction: number;
  readonly member: string;
  readonly inRange: boolean;
}

export interface Measured {
  readonly parts: ReadonlyMap<Row, ProbeParts>;
  readonly models: readonly ModelRun[];
  readonly samples: Samples;
}

interface Job {
  readonly geometry: Geometry;
  readonly rows: readonly Row[];
  readonly keys: readonly string[];
  readonly scalings: readonly Wanted[];
}

const key = (value: unknown): string => JSON.stringify(value);
const multipleOf = (row: Row): number => rungOf(row.length, row.geometry.window);

/** Rows of one geometry share a run, whatever their models are called; equal scalings a pass. */
function plan(rows: readonly Row[]): Job[] {
  return [...new Set(rows.map((r) => key(r.geometry)))].map((geometry) => {
    const mine = rows.filter((r) => key(r.geometry) === geometry);
    const wanted = new Map<string, { spec: Wanted['spec']; multiples: number[] }>();
    for (const row of mine) {
      const spec = specOf(row)!;
      const entry = wanted.get(key(spec)) ?? { spec, multiples: [] };
      entry.multiples.push(multipleOf(row));
      wanted.set(key(spec), entry);
    }
    const keys = [...wanted.keys()];
    return { geometry: mine[0]!.geometry, rows: mine, keys, scalings: [...wanted.values()] };
  });
}

/** Tokens of a probe model's window: what costs are reckoned in. */
const PROBE_WINDOW = 256;

/** Measures every row: one run a geometry, with as many contexts as the budget allows. */
export async function measure(
  rows: readonly Row[],
  options: ProbeOptions,
  log: (line: string) => void = () => {},
): Promise<Measured> {
  const jobs = plan(rows);
  const cost = jobs.reduce((sum, job) => sum + costOfOne(job.scalings, PROBE_WINDOW), 0);
  const samples = samplesWithin(cost);
  const parts = new Map<Row, ProbeParts>();
  const models: ModelRun[] = [];
  for (const { geometry, rows: mine, keys, scalings } of jobs) {
    const entries = [...new Set(mine.map((r) => r.entry))];
    log(`probing ${entries.join(', ')}: ${scalings.length} scalings`);
    const answer = await probe(geometry, scalings, samples, options);
    const { member, inRange } = answer;
    const c = criticalFraction(geometry.theta, geometry.window);
    models.push({ entries, geometry, criticalFraction: c, member, inRange });
    for (const row of mine)
      parts.set(row, answer.parts[keys.indexOf(key(specOf(row)))]!.get(multipleOf(row))!);
  }
  return { parts, models, samples };
}
