import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RopeEvalError } from '../../src/errors.js';
import { chooseMember, loadFamily, parseBundled } from '../../src/subjects/bundled/family.js';
import { readBundled } from '../../src/subjects/bundled/files.js';

describe('the model family', () => {
  it('holds the files that its card names, byte for byte', async () => {
    const family = await loadFamily();
    for (const [graph, sha256] of Object.entries(family.graphs)) await readBundled(graph, sha256);
    for (const m of family.members) {
      const data = await readBundled(m.weights);
      expect(createHash('sha256').update(data).digest('hex')).toBe(m.weightsSha256);
    }
  });

  it('refuses a file that is not the one shipped', async () => {
    const error = await readBundled('language.json', '0'.repeat(64)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RopeEvalError);
    expect(error).toMatchObject({ exitCode: 3, kind: 'damaged_models' });
  });

  it('picks the nearest critical fraction and says when it is out of range', async () => {
    const family = await loadFamily();
    for (const m of family.members) {
      const { member, inRange } = chooseMember(family, m);
      expect(member.name).toBe(m.name.replace(/-s\d+$/, '-s1')); // of several seeds the first
      expect(inRange).toBe(true);
    }
    expect(chooseMember(family, { criticalFraction: 0.39, rotaryShare: 1 }).below).toBe(false);
    expect(chooseMember(family, { criticalFraction: 0.37, rotaryShare: 1 }).below).toBe(true);
    for (const criticalFraction of [0.95, -0.05, -0.5])
      expect(chooseMember(family, { criticalFraction, rotaryShare: 1 }).inRange).toBe(false);
  });

  it('lets the smallest member stand for what real text showed it to stand for', async () => {
    const family = await loadFamily();
    const gemma2 = chooseMember(family, { criticalFraction: 0.221, rotaryShare: 1 });
    expect(gemma2).toMatchObject({ inRange: true, below: true, member: { name: 'c0.38-s1' } });
    expect(chooseMember(family, { criticalFraction: 0.221, rotaryShare: 0.25 }).inRange).toBe(
      false,
    );
  });

  it('prefers heads that rotate as much to a nearer critical fraction', async () => {
    const family = await loadFamily();
    const chosen = (rotaryShare: number) =>
      chooseMember(family, { criticalFraction: 0.55, rotaryShare }).member;
    expect(chosen(1)).toMatchObject({ rotaryShare: 1, criticalFraction: 0.55 });
    expect(chosen(0.75)).toMatchObject({ rotaryShare: 1 });
    expect(chosen(0.25).rotaryShare).toBe(0.25);
    expect(chosen(1 / 3).rotaryShare).toBe(0.25);
    expect(chosen(0.5).rotaryShare).toBe(0.25);
  });
});

it.each([
  ['no JSON', '{', /family\.json is not JSON/],
  ['another shape', '{"version": 2}', /family\.json: version/],
])('says that the installation is damaged where a card is %s', (_, text, message) => {
  const parse = () =>
    parseBundled('family.json', Buffer.from(text), z.object({ version: z.literal(1) }));
  expect(parse).toThrow(message);
  expect(parse).toThrow(expect.objectContaining({ exitCode: 3, kind: 'damaged_models' }));
});
