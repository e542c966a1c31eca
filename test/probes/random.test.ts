import { expect, it } from 'vitest';
import { Random } from '../../src/probes/random.js';

it('gives every seed and index a stream of its own', () => {
  const first = new Set<number>();
  const [seeds, indices] = [64, 200];
  for (let seed = 0; seed < seeds; seed++)
    for (let index = 0; index < indices; index++) first.add(Random.stream(seed, index).unit());
  // Of 12,800 draws from 2^32 values, one pair in fifty runs would be equal by chance.
  expect(first.size).toBeGreaterThan(seeds * indices - 2);
});

it('gives the same stream again', () => {
  const draws = (random: Random) => [random.below(1000), random.between(3, 9), random.unit()];
  expect(draws(Random.stream(3, 4))).toEqual(draws(Random.stream(3, 4)));
  expect(draws(Random.stream(3, 4))).not.toEqual(draws(Random.stream(3, 5)));
});

it('is uniform over streams, not only along one', () => {
  const n = 4000;
  const mean =
    Array.from({ length: n }, (_, i) => Random.stream(1, i).unit()).reduce((a, b) => a + b) / n;
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
});
