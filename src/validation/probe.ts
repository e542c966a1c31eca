import { outOfRangeByRung } from '../evaluation/tables.js';
import { runningMaximum } from '../probes/statistics.js';
import { scalingOf, withBench, type ProbeOptions } from './bench.js';
import { languageChange, lossAt, runLadder, type Wanted } from './ladder-run.js';
import { ladders } from './ladders.js';
import type { Samples } from './samples.js';
import type { Geometry } from './types.js';

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
      const outOfRange = outOfRangeByRung(scalingOf(geometry, spec), multiples);
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
