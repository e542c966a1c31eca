import { expect, it } from 'vitest';
import { DISTANCE_BINS } from '../../src/probes/measure.js';

it('counts every distance in exactly one bin, whole fifths too', () => {
  for (const length of [64, 256, 320, 1000, 1280])
    for (let tokens = 0; tokens <= length; tokens++) {
      const share = tokens / length;
      const bins = DISTANCE_BINS.filter(([from, to]) => share >= from && share < to);
      expect(bins, `${tokens} of ${length}`).toHaveLength(1);
    }
});
