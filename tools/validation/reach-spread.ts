import { parseArgs } from 'node:util';
import { benchOf, runPasses } from './bench.js';
import { criticalFraction } from './formulas.js';
import { LLAMA1, planNtk } from './reach.js';
import type { Geometry } from './types.js';

// npx tsx tools/validation/reach-spread.ts [--jobs 2 --seeds 1,2]: shows how much the reach of
// static NTK differs between seeds of a probe model, its neighbours and contexts.

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '2' }, seeds: { type: 'string', default: '1,2' } },
});

const seeds = values.seeds.split(',').map(Number);
if (!seeds.every(Number.isSafeInteger)) throw new Error(`--seeds ${values.seeds}: whole numbers`);

const plain = (theta: number, window: number): Geometry => ({
  rotaryDim: 128,
  rotaryShare: 1,
  theta,
  window,
});
/** Geometries, with the members on which each is measured: the nearest and its neighbours. */
const CASES: readonly (readonly [string, Geometry, readonly string[]])[] = [
  ['LLaMA 1', LLAMA1, ['c0.38-s1', 'c0.38-s2', 'c0.45-s1']],
  ['Llama 3', plain(5e5, 8192), ['c0.45-s1', 'c0.38-s1', 'c0.38-s2', 'c0.55-s1']],
  ['c 0.55', plain(1e6, 3148), ['c0.55-s1', 'c0.45-s1']],
];
const ALPHAS = [2, 4, 8];

console.log('| model | c | probe model | contexts | by language, NTK 2, 4, 8 | by facts |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [name, geometry, members] of CASES)
  for (const member of members)
    for (const seed of seeds) {
      const bench = await benchOf(geometry, { jobs: Number(values.jobs), seed, member });
      const { passes, read } = planNtk(bench, ALPHAS);
      await runPasses(passes);
      const found = read();
      const c = criticalFraction(geometry.theta, geometry.window).toFixed(2);
      const list = (key: 'language' | 'facts'): string => found.map((r) => `${r[key]}x`).join(', ');
      console.log(
        `| ${name} | ${c} | ${member} | seed ${seed} | ${list('language')} | ${list('facts')} |`,
      );
    }
