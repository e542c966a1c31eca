import { describe, expect, it } from 'vitest';
import { culpritOf, lineOfKey } from '../../src/gate/differences.js';

const text = `{
  "model_type": "llama",
  "max_position_embeddings": 32768,
  "rope_scaling": {
    "rope_type": "linear",
    "factor": 8.0
  },
  "list": [
    {"a": 1}
  ]
}
`;

describe('the line of a key', () => {
  it.each([
    ['max_position_embeddings', 3],
    ['rope_scaling', 4],
    ['rope_scaling.factor', 6],
    ['rope_scaling.missing', 4],
    ['list.0.a', 9],
    ['nowhere', 1],
    ['', 1],
  ])('%s', (path, line) => {
    expect(lineOfKey(text, path)).toBe(line);
  });

  it('is that of theta where a change moved theta, and of what else moved after it', () => {
    const config = `{
  "model_type": "llama",
  "rope_theta": 1e6,
  "max_position_embeddings": 32768,
  "rope_scaling": {"rope_type": "linear", "factor": 8.0}
}`;
    const blamed = (...changed: Parameters<typeof culpritOf>[2] & object): number =>
      culpritOf(config, 'needle', changed).line;
    expect(blamed('window', 'scaling', 'theta')).toBe(3);
    expect(blamed('window', 'scaling')).toBe(5);
    expect(blamed('window')).toBe(4);
    expect(blamed()).toBe(5);
  });

  it('is that of the scaling for a short-context failure, of the window for a cost', () => {
    expect(culpritOf(text, 'short.lossChange')).toMatchObject({ path: 'rope_scaling', line: 4 });
    expect(culpritOf(text, 'kvCacheGiB')).toMatchObject({
      path: 'max_position_embeddings',
      line: 3,
    });
  });
});
