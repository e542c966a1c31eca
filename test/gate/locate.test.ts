import { describe, expect, it } from 'vitest';
import { culpritOf, lineOfKey } from '../../src/gate/advice.js';

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

  it('is that of the scaling for a short-context failure, of the window for a cost', () => {
    expect(culpritOf(text, 'short.lossChange')).toEqual({ path: 'rope_scaling', line: 4 });
    expect(culpritOf(text, 'kvCacheGiB')).toEqual({ path: 'max_position_embeddings', line: 3 });
  });
});
