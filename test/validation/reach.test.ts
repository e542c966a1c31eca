import { expect, test } from 'vitest';
import { lastWithinLoss } from '../../src/probes/measure.js';

test('reach by perplexity ends before the first length that is a tenth above the first one', () => {
  expect(lastWithinLoss([0.02, 0.05, 0.1, 0.3, 0.04])).toBe(2);
  expect(lastWithinLoss([0.02, 0.02 + Math.log(1.11), 0])).toBe(0);
  expect(lastWithinLoss([0.3, 0.1, 0.35])).toBe(2);
});
