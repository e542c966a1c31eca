import { describe, expect, it } from 'vitest';
import { millisecondsAt, paceOf } from '../../../src/subjects/onnx/cost.js';

const cost = { perToken: 1e8, perPair: 17_280, leastMemory: 0, memory: 0 };

/** A machine whose attention is twice as slow a multiplication as its products with weights. */
const machine = { product: 8e-9, attention: 1.6e-8 };
const timed = (length: number) => ({
  length,
  milliseconds: millisecondsAt(cost, machine, length),
});

describe('the pace of a decoder', () => {
  it('is solved from a short and a longer context and holds far beyond both', () => {
    const pace = paceOf(cost, timed(512), timed(4096));
    expect(pace.product).toBeCloseTo(machine.product, 15);
    expect(pace.attention).toBeCloseTo(machine.attention, 15);
    expect(millisecondsAt(cost, pace, 65_536)).toBeCloseTo(timed(65_536).milliseconds, 3);
  });

  it.each([
    ['equal lengths say nothing of attention', timed(512), timed(512)],
    ['a pause in the short context hides it', { length: 512, milliseconds: 9e3 }, timed(4096)],
    [
      'a pause in the longer context hides the products',
      timed(512),
      { length: 4096, milliseconds: 1e6 },
    ],
  ])('counts both kinds of work alike where %s', (_, short, long) => {
    const pace = paceOf(cost, short, long);
    expect(pace.product).toBe(pace.attention);
    expect(pace.product).toBeGreaterThan(0);
    expect(millisecondsAt(cost, pace, long.length)).toBeCloseTo(long.milliseconds, 6);
  });
});
