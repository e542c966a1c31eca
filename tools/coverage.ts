import { parseArgs } from 'node:util';
import {
  type BinnedFacts,
  type Cluster,
  lastRung,
  reach,
  resamples,
} from '../src/probes/measure.js';
import { Random } from '../src/probes/random.js';

/**
 * Simulates the effect of early looks on reach: `npx tsx tools/coverage.ts [--runs 400]`.
 *
 * Scalings with a known accuracy at every rung and distance answer contexts of different
 * difficulty. As in src/evaluation/plan.ts, a run looks after half of the contexts, stops if the
 * scaling is clearly out, and doubles the contexts while the verdict is open. The output compares
 * this with a single look at all contexts: how often the interval of reach contains the true one,
 * and how often a verdict is wrong.
 */

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '400' },
    preset: { type: 'string', default: '12' },
  },
});
const RUNS = Number(values.runs);
const PRESET = Number(values.preset);
const MOST = 4 * PRESET;
const FEWEST = 6;
const BINS = 5;
const BASE = 0.98;
const RUNGS = 7;
const TARGET = RUNGS - 1;
/** Questions of one context in each fifth of the distances. */
const QUESTIONS = 1.2;
const DRAWS = 300;

/** (rungs, bins) accuracy of a scaling that breaks at a rung, starting with far distances. */
function accuracies(breaksAt: number, steepness: number): number[][] {
  return Array.from({ length: RUNGS }, (_, rung) =>
    Array.from({ length: BINS }, (_, bin) => {
      const beyond = rung - breaksAt + 0.5 * (bin / (BINS - 1) - 1);
      return BASE / (1 + Math.exp(steepness * beyond));
    }),
  );
}

/** (rungs, bins, contexts) facts found. */
function answers(truth: readonly (readonly number[])[], contexts: number, random: Random) {
  const bins: Cluster[][][] = truth.map((row) => row.map(() => []));
  for (let context = 0; context < contexts; context++) {
    // Contexts differ: some are easier than others at every rung.
    const ease = 0.8 * (random.unit() + random.unit() + random.unit() - 1.5);
    truth.forEach((row, rung) =>
      row.forEach((p, bin) => {
        const logit = Math.log(p / (1 - p)) + ease;
        const chance = 1 / (1 + Math.exp(-logit));
        const count = Math.floor(QUESTIONS) + (random.unit() < QUESTIONS % 1 ? 1 : 0);
        let sum = 0;
        for (let q = 0; q < count; q++) if (random.unit() < chance) sum++;
        bins[rung]![bin]!.push({ sum, count });
      }),
    );
  }
  return bins;
}

const first = (bins: BinnedFacts, contexts: number): BinnedFacts =>
  bins.map((row) => row.map((bin) => bin.slice(0, contexts)));

const look = (bins: BinnedFacts, contexts: number, seed: number) =>
  reach(first(bins, contexts), BASE, resamples(contexts, seed, DRAWS));

/** The rung found with many contexts, which counts as the true one. */
function trueRung(truth: readonly (readonly number[])[]): number {
  const many = answers(truth, 20_000, new Random(1));
  return lastRung(
    many,
    BASE,
    Array.from({ length: 20_000 }, (_, i) => i),
  );
}

interface Tally {
  covered: number;
  wrong: number;
  contexts: number;
}

/** Simulates one run of the plan. */
function sequential(bins: BinnedFacts, seed: number) {
  const half = Math.ceil(PRESET / 2);
  const early = look(bins, half, seed);
  if (half >= FEWEST && TARGET - early.high >= 2) return { found: early, contexts: half };
  for (let contexts = PRESET; ; contexts *= 2) {
    const found = look(bins, contexts, seed);
    const open = found.rung >= 0 && found.low < TARGET && found.high >= TARGET;
    if (!open || contexts >= MOST) return { found, contexts };
  }
}

console.log(
  `${RUNS} runs a line, ${PRESET} contexts; reach in rungs of ${RUNGS}, target the last\n`,
);
console.log(
  'true reach | one look: covered, wrong verdict | sequential: covered, wrong verdict, contexts',
);
const all = { once: { covered: 0, wrong: 0 }, staged: { covered: 0, wrong: 0 }, runs: 0 };
for (const breaksAt of [-0.4, 1, 2, 3, 3.8, 4.5, 5.2, 5.8, 6.3, 7, 8]) {
  const truth = accuracies(breaksAt, 2);
  const rung = trueRung(truth);
  const once: Tally = { covered: 0, wrong: 0, contexts: 0 };
  const staged: Tally = { covered: 0, wrong: 0, contexts: 0 };
  for (let run = 0; run < RUNS; run++) {
    const bins = answers(truth, MOST, Random.stream(7, run, Math.round(10 * breaksAt)));
    const note = (tally: Tally, { low, high }: { low: number; high: number }, contexts: number) => {
      if (low <= rung && rung <= high) tally.covered++;
      // A verdict is wrong if it was decided and contradicts the truth.
      if (rung >= TARGET ? high < TARGET : low >= TARGET) tally.wrong++;
      tally.contexts += contexts;
    };
    note(once, look(bins, PRESET, run), PRESET);
    const { found, contexts } = sequential(bins, run);
    note(staged, found, contexts);
  }
  const percent = (count: number): string => `${((100 * count) / RUNS).toFixed(1)} %`;
  console.log(
    `${String(rung).padStart(10)} | ${percent(once.covered)}, ${percent(once.wrong)} | ` +
      `${percent(staged.covered)}, ${percent(staged.wrong)}, ${(staged.contexts / RUNS).toFixed(1)}`,
  );
  all.runs += RUNS;
  for (const [into, from] of [
    [all.once, once],
    [all.staged, staged],
  ] as const) {
    into.covered += from.covered;
    into.wrong += from.wrong;
  }
}
const share = (count: number): string => `${((100 * count) / all.runs).toFixed(1)} %`;
console.log(
  `       all | ${share(all.once.covered)}, ${share(all.once.wrong)} | ${share(all.staged.covered)}, ${share(all.staged.wrong)}`,
);
