import { expect, test } from 'vitest';
import { fingerprintData, hashTable } from '../../src/geometry/fingerprint.js';
import { computeRope } from '../../src/rope/registry.js';
import { gemma3, llama2, llama31, plain, yarn } from './models.js';

test('one entry per layer type, with what an engine should hold', () => {
  const { groups } = fingerprintData(gemma3);
  expect(groups.map(({ layerType }) => layerType)).toEqual(['full_attention', 'sliding_attention']);
  expect(groups[0]?.invFreq.length).toBe(128);
  expect(groups[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(groups[0]?.hash).not.toBe(groups[1]?.hash);
});

test('the hash is over float32: differences that no engine can hold do not change it', () => {
  const table = computeRope(plain(1e4));
  const nudged = { ...table, invFreq: table.invFreq.map((frequency) => frequency * (1 + 1e-12)) };
  const moved = { ...table, invFreq: table.invFreq.map((frequency) => frequency * (1 + 1e-6)) };
  expect(hashTable(nudged)).toBe(hashTable(table));
  expect(hashTable(moved)).not.toBe(hashTable(table));
});

test('the attention scaling is part of the hash', () => {
  const table = computeRope(plain(1e4));
  expect(hashTable({ ...table, attentionScaling: 1.1 })).not.toBe(hashTable(table));
});

test('a small table, hashed by hand', () => {
  // sha256 of the eight bytes 00 00 80 3f 00 00 80 3f: 1.0 twice as little-endian float32.
  expect(hashTable({ invFreq: Float64Array.of(1), attentionScaling: 1 })).toBe(EXPECTED_ONE_ONE);
});

test('the cosine to the base frequencies is 1 without a scaling, and falls with one', () => {
  const same = fingerprintData(llama2).groups[0]?.versusUnscaled ?? [];
  expect(same.every(({ cosine }) => cosine === 1)).toBe(true);
  const scaled = fingerprintData(llama31).groups[0]?.versusUnscaled ?? [];
  expect(scaled[0]?.cosine).toBeCloseTo(1, 4);
  expect(scaled.at(-1)?.position).toBe(131072);
  expect(scaled.at(-1)?.cosine).toBeLessThan(0.8);
});

test('another scaling in place of the config', () => {
  const specs = [yarn(1e4, 4, 4096)];
  const { groups } = fingerprintData(llama2, { specs });
  expect(groups[0]?.ropeType).toBe('yarn');
  expect(groups[0]?.attentionScaling).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
});

const EXPECTED_ONE_ONE = '80b8fd6d60fa85fd14a38b5295cb92abd80dfec5ca406c9f969609a79d36809d';
