import { expect, test } from 'vitest';
import { diffFingerprint, fingerprintData } from '../../../src/geometry/fingerprint.js';
import { fingerprintDiffSections, fingerprintSections } from '../../../src/report/fingerprint.js';
import { textOf } from '../../../src/report/terminal.js';
import { computeRope } from '../../../src/rope/registry.js';
import { gemma3, plain, yarn } from '../../geometry/models.js';

const context = { color: false, columns: 80, plots: true };

test('every layer type with its hash, in 80 columns', () => {
  const data = fingerprintData(gemma3);
  const text = textOf(fingerprintSections(data), context);
  for (const { hash } of data.groups) expect(text).toContain(hash);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('a difference says from where, how much and what it looks like', () => {
  const unscaled = computeRope(plain(1e4));
  const values = Array.from(unscaled.invFreq);
  const diff = diffFingerprint(
    computeRope(yarn(1e4, 4, 4096)),
    { key: 'inv_freq', values },
    { upTo: 16384, unscaled },
  );
  const text = textOf(fingerprintDiffSections(diff), context).replaceAll(/\s+/g, ' ');
  expect(diff.looksLike).toBe('unscaled');
  expect(text).toContain(` ${diff.partsFrom}.`);
  expect(text).toContain(diff.worst.difference.toExponential(2));
});
