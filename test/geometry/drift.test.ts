import { expect, test } from 'vitest';
import { type Drift, measureDrift } from '../../src/geometry/drift.js';
import { computeRope } from '../../src/rope/registry.js';
import { plain } from './models.js';

const { invFreq } = computeRope(plain(1e4));
const drift = (upTo: number, name: string): Drift => {
  const found = measureDrift(invFreq, upTo).find(({ arithmetic }) => arithmetic === name);
  if (found === undefined) throw new Error(`no arithmetic ${name}`);
  return found;
};

test('float32 angles keep a distance the same to 1e-3 up to 131072 tokens', () => {
  const { worst, firstAbove } = drift(131072, 'float32');
  expect(worst).toBeGreaterThan(0);
  expect(worst).toBeLessThan(1e-3);
  expect(firstAbove).toBeNull();
});

test('float32 loses with the position: the step of an angle doubles with its size', () => {
  const { byPosition } = drift(1 << 20, 'float32');
  const near = byPosition[0]?.error ?? 0;
  const far = byPosition.at(-1)?.error ?? 0;
  expect(far).toBeGreaterThan(20 * near);
});

test('bfloat16 angles are lost within the trained window', () => {
  // Whole positions are exact up to 256 only.
  const { worst, firstAbove } = drift(4096, 'bfloat16 angles');
  expect(worst).toBeGreaterThan(0.1);
  expect(firstAbove).toBeLessThanOrEqual(511);
});

test('a bfloat16 table of float32 angles does not get worse with the position', () => {
  const { byPosition } = drift(131072, 'bfloat16 table');
  for (const { error } of byPosition) expect(error).toBeLessThan(4e-3);
});

test('float16 angles overflow above 65504, said as null', () => {
  const short = drift(65000, 'float16 angles');
  const long = drift(131072, 'float16 angles');
  expect(short.worst).not.toBeNull();
  expect(long.worst).toBeNull();
  expect(long.byPosition.at(-1)).toEqual({ position: 131071, error: null });
});
