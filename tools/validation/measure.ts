import { outOfRangeByRung } from '../../src/evaluation/variant.js';
import { runningMaximum } from '../../src/probes/measure.js';
import { LOSS_SCALE } from '../../src/subjects/bundled/subject.js';
import {
  type Bench,
  benchOf,
  factLoss,
  type LadderRun,
  type Mean,
  type Passes,
  planLadder,
  planText,
  type ProbeOptions,
  runPasses,
  scalingOf,
  type TextRun,
} from './bench.js';
import { criticalFraction } from './formulas.js';
import {
  costOfOne,
  FULL,
  ladders,
  onLadder,
  rungOf,
  type Samples,
  samplesWithin,
  type Wanted,
} from './ladder.js';
import { specOf } from './specs.js';
import type { Geometry, Row } from './types.js';

/** The probe's results for one scaling at one length; the parts of the score. */
export interface ProbeParts {
  /**
   * Language loss minus the reference's on the same text within its window, in nats. Beyond the
   * window it is at least that of any shorter length, as in a report's score. undefined = not
   * wanted.
   */
  readonly language: Mean | undefined;
  /** What the exact angles add to the score at that length, in nats: `outOfRangeByRung`. */
  readonly outOfRange: number;
  /**
   * Loss of the facts minus the reference's at 1x, in nats; undefined = not asked at this length.
   */
  readonly facts: number | undefined;
}

/** One geometry of the file, with the probe model that represents it. */
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

/** Changes by multiple. From 1x on, each is the worst so far. */
function worstSoFar(changes: ReadonlyMap<number, Mean>): Map<number, Mean> {
  const beyond = [...changes].filter(([at]) => at >= 1).sort(([a], [b]) => a - b);
  const most = runningMaximum(beyond.map(([, change]) => change.value));
  return new Map([
    ...changes,
    ...beyond.map(([at, { tokens }], i) => [at, { value: most[i]!, tokens }] as const),
  ]);
}

interface Part<T> {
  /** Indices of the scalings in this part. */
  readonly of: readonly number[];
  readonly passes: Passes<T>;
}

/** Everything that the scalings of one geometry need. */
interface Plan {
  readonly bench: Bench;
  readonly scalings: readonly Wanted[];
  readonly texts: readonly (Part<TextRun> & { readonly multiple: number })[];
  readonly ladders: readonly Part<LadderRun>[];
}

function plan(bench: Bench, scalings: readonly Wanted[], samples: Samples): Plan {
  const where = (wants: (scaling: Wanted) => boolean): number[] =>
    scalings.flatMap((s, i) => (wants(s) ? [i] : []));
  const within = new Set([1, ...scalings.flatMap((s) => s.losses.filter((m) => m < 1))]);
  return {
    bench,
    scalings,
    texts: [...within].map((multiple) => {
      // The cost of a scaling at 1x also counts at longer lengths.
      const of = where(({ losses }) =>
        losses.some((m) => m === multiple || (multiple === 1 && m > 1)),
      );
      const specs = of.map((i) => scalings[i]!.spec);
      return { multiple, of, passes: planText(bench, specs, multiple) };
    }),
    ladders: ladders(scalings.flatMap(onLadder)).flatMap((ladder) => {
      const of = where((s) => onLadder(s).some((m) => ladder.includes(m)));
      // The first ladder contains 1, with which the facts of all other ladders are compared.
      if (
        of.length === 0 &&
        (!ladder.includes(1) || scalings.every((s) => onLadder(s).length === 0))
      )
        return [];
      const mine = of.map((i) => scalings[i]!);
      return [{ of, passes: planLadder(bench, mine, ladder, samples) }];
    }),
  };
}

/** (scalings) the parts at each multiple. */
function read({ bench, scalings, texts, ladders }: Plan): Map<number, ProbeParts>[] {
  const facts = scalings.map(() => new Map<number, number>());
  const changes = scalings.map(() => new Map<number, Mean>());
  for (const { of, multiple, passes } of texts) {
    const found = passes.read();
    of.forEach((scaling, k) => changes[scaling]!.set(multiple, found[k]!));
  }
  let atHome = Number.NaN; // until the first ladder, which has 1, was read
  for (const { of, passes } of ladders) {
    const run = passes.read();
    const what = `facts of ${bench.subject.probe.member.name}`;
    if (run.reference) atHome = factLoss(run.reference, run.home, what);
    of.forEach((scaling, k) => {
      const mine = onLadder(scalings[scaling]!);
      const last = run.ladder.findLastIndex((m) => mine.includes(m));
      run.ladder.slice(0, last + 1).forEach((multiple, rung) => {
        if (multiple > 1) changes[scaling]!.set(multiple, run.language(k, rung));
        if (mine.includes(multiple))
          facts[scaling]!.set(multiple, factLoss(run.facts[k]!, rung, what) - atHome);
      });
    });
  }
  return scalings.map(({ spec, losses, answers }, i) => {
    const worst = worstSoFar(changes[i]!);
    const multiples = [...new Set([...losses, ...answers])];
    const outOfRange = outOfRangeByRung(scalingOf(bench.geometry, spec), multiples, LOSS_SCALE);
    return new Map(
      multiples.map((m, k) => [
        m,
        { language: worst.get(m), outOfRange: outOfRange[k]!, facts: facts[i]!.get(m) },
      ]),
    );
  });
}

interface Job {
  readonly geometry: Geometry;
  readonly rows: readonly Row[];
  readonly keys: readonly string[];
  readonly scalings: readonly Wanted[];
}

const key = (value: unknown): string => JSON.stringify(value);
const multipleOf = (row: Row): number => rungOf(row.length, row.geometry.window);

/** Makes one job for each geometry, whatever its models are called. Equal scalings share a pass. */
function jobsOf(rows: readonly Row[]): Job[] {
  return [...new Set(rows.map((r) => key(r.geometry)))].map((geometry) => {
    const mine = rows.filter((r) => key(r.geometry) === geometry);
    const wanted = new Map<string, { spec: Wanted['spec']; losses: number[]; answers: number[] }>();
    for (const row of mine) {
      const spec = specOf(row)!;
      const entry = wanted.get(key(spec)) ?? { spec, losses: [], answers: [] };
      (row.metric === 'accuracy' ? entry.answers : entry.losses).push(multipleOf(row));
      wanted.set(key(spec), entry);
    }
    const keys = [...wanted.keys()];
    return { geometry: mine[0]!.geometry, rows: mine, keys, scalings: [...wanted.values()] };
  });
}

/** Tokens of a probe model's window, the unit of costs. */
const PROBE_WINDOW = 256;

export interface MeasureOptions extends ProbeOptions {
  /**
   * The most weighted tokens that contexts on the ladders may cost. Larger files get fewer
   * contexts.
   */
  readonly budget: number;
  readonly log?: (line: string) => void;
  /** Receives the share that is done, 0 to 1. */
  readonly onProgress?: (share: number, label: string) => void;
}

/**
 * Measures every row, with one plan for each geometry and as many contexts as the budget allows.
 *
 * @param further passes to run in the same engines
 */
export async function measure(
  rows: readonly Row[],
  options: MeasureOptions,
  further: readonly Passes<unknown>[] = [],
): Promise<Measured> {
  const log = options.log ?? (() => {});
  const jobs = jobsOf(rows);
  const cost = jobs.reduce((sum, job) => sum + costOfOne(job.scalings, PROBE_WINDOW), 0);
  const samples = samplesWithin(cost, options.budget);
  const scalings = jobs.reduce((n, j) => n + j.scalings.length, 0);
  log(`${rows.length} rows, ${scalings} scalings, ${jobs.length} geometries`);
  if (samples.longText < FULL.longText)
    log(
      `--budget ${options.budget / 1e6} allows ${samples.long} of ${FULL.long} contexts of facts and ${samples.longText} of ${FULL.longText} of text a scaling; all of them cost ${Math.ceil((cost * (FULL.long + FULL.longText)) / 1e6)}`,
    );
  const plans: Plan[] = [];
  for (const { geometry, scalings } of jobs)
    plans.push(plan(await benchOf(geometry, options), scalings, samples));
  await runPasses(
    [...plans.flatMap((p) => [...p.texts, ...p.ladders].map(({ passes }) => passes)), ...further],
    options.onProgress,
  );
  const parts = new Map<Row, ProbeParts>();
  const models = plans.map(({ bench }, i): ModelRun => {
    const { geometry, rows: mine } = jobs[i]!;
    return {
      entries: [...new Set(mine.map((r) => r.entry))],
      geometry,
      criticalFraction: criticalFraction(geometry.theta, geometry.window),
      member: bench.subject.probe.member.name,
      inRange: bench.subject.probe.inRange,
    };
  });
  plans.forEach((planned, i) => {
    const found = read(planned);
    const { rows: mine, keys } = jobs[i]!;
    for (const row of mine)
      parts.set(row, found[keys.indexOf(key(specOf(row)))]!.get(multipleOf(row))!);
  });
  return { parts, models, samples };
}
