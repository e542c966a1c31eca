import { criticalFraction } from '../geometry/critical.js';
import { rungOf } from './ladders.js';
import type { ProbeOptions } from './bench.js';
import type { Wanted } from './ladder-run.js';
import { probe, type ProbeParts } from './probe.js';
import { costOfOne, samplesWithin, type Samples } from './samples.js';
import { specOf } from './specs.js';
import type { Geometry, Row } from './types.js';

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
