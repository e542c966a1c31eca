import { describe, expect, it } from 'vitest';
import { lastWindow, writeFacts, writeText } from '../../src/probes/contexts.js';
import { language } from '../helpers/language.js';
import { errorAt } from '../helpers/errors.js';

const rungs = [256, 512, 1024];
const plan = { language, rungs, questionsPerRung: 6, copies: false };

describe('contexts with facts', () => {
  const context = writeFacts(plan, 1, 0);

  it('are the same for the same seed and differ for another', () => {
    expect(writeFacts(plan, 1, 0)).toEqual(context);
    expect(writeFacts(plan, 2, 0).tokens).not.toEqual(context.tokens);
    expect(writeFacts(plan, 1, 1).tokens).not.toEqual(context.tokens);
  });

  it('ask two values for each question, inside the rung they belong to', () => {
    const facts = context.items.map((item, i) => ({ ...item, row: context.rows[i]! }));
    rungs.forEach((end, rung) => {
      const mine = facts.filter((f) => f.kind === 'fact' && f.rung === rung);
      expect(mine).toHaveLength(12);
      for (const f of mine) expect(f.row).toBeLessThan(end);
      for (const f of mine) expect(f.row).toBeGreaterThan(end - 64);
    });
  });

  it('ask all questions inside their rung, however close the rungs are', () => {
    const near = [128, 256, 282, 300, 352];
    const close = writeFacts({ ...plan, rungs: near }, 1, 0);
    near.forEach((end, rung) => {
      const rows = close.rows.filter((_, i) => close.items[i]!.rung === rung);
      expect(rows).toHaveLength(12);
      expect(Math.max(...rows)).toBeLessThan(end);
    });
  });

  it('cover every fifth of what stands before the questions, however close the rungs are', () => {
    const near = { ...plan, rungs: [256, 272] };
    const contexts = Array.from({ length: 6 }, (_, i) => writeFacts(near, 1, i));
    for (const rung of [0, 1]) {
      const items = contexts.flatMap((c) => c.items.filter((x) => x.rung === rung));
      const bins = new Set(items.map((x) => Math.floor(5 * x.share)));
      expect([...bins].sort()).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('refuse more questions than there are keys', () => {
    const rungs = Array.from({ length: 43 }, (_, i) => 256 * (i + 1));
    expect(() => writeFacts({ ...plan, rungs, questionsPerRung: 3 }, 1, 0)).toThrow(
      errorAt('lengths_too_close'),
    );
  });

  it('refuse more lengths than a text has room for', () => {
    const crowded = { ...plan, rungs: [256, 257, 258, 259, 260, 261, 262] };
    expect(() => writeFacts(crowded, 1, 0)).toThrow(errorAt('lengths_too_close'));
  });

  it('ask for values that stand where the distance says', () => {
    context.items.forEach((item, i) => {
      if (item.kind !== 'fact') return;
      const at = context.rows[i]! + 1 - item.distance;
      expect(context.tokens[at]).toBe(context.targets[i]);
    });
  });

  it('cover every fifth of the length at every rung', () => {
    const contexts = Array.from({ length: 6 }, (_, i) => writeFacts(plan, 1, i));
    rungs.forEach((end, rung) => {
      const bins = new Set(
        contexts.flatMap((c) =>
          c.items
            .filter((x) => x.kind === 'fact' && x.rung === rung)
            .map((x) => Math.floor((5 * x.distance) / end)),
        ),
      );
      expect([...bins].sort()).toEqual([0, 1, 2, 3, 4]);
    });
  });

  it('keep rows in ascending order, so that a shorter length is a prefix', () => {
    expect(context.rows).toEqual([...context.rows].sort((a, b) => a - b));
  });

  it('score a verbatim copy before each rung where asked to', () => {
    const copies = writeFacts({ ...plan, rungs: [128, 256], copies: true }, 1, 0);
    for (const rung of [0, 1])
      expect(copies.items.filter((x) => x.kind === 'copy' && x.rung === rung)).toHaveLength(9);
  });
});

describe('text contexts', () => {
  const context = writeText({ language, rungs, span: 128 }, 1, 0);

  it('hold running text alone', () => {
    expect(context.items.every((item) => item.kind === 'language')).toBe(true);
    expect(context.tokens).not.toContain(language.tokens.fact);
  });

  it('count a token at every rung that it stands close before', () => {
    const close = writeText({ language, rungs: [256, 272], span: 128 }, 1, 0);
    const rows = (rung: number) => close.rows.filter((_, i) => close.items[i]!.rung === rung);
    expect(rows(0)).toEqual(
      writeText({ language, rungs: [256], span: 128 }, 1, 0).rows.filter((row) => row >= 128),
    );
    expect(rows(1).filter((row) => row < 256)).toEqual(rows(0).filter((row) => row >= 144));
    expect(close.rows).toEqual([...close.rows].sort((a, b) => a - b));
  });

  it('know what the source itself needs for each token', () => {
    const most = Math.log(language.tokens.content[1] / 0.08) + 1e-9;
    for (const item of context.items) {
      expect(item.surprise).toBeGreaterThanOrEqual(0);
      expect(item.surprise).toBeLessThanOrEqual(most);
    }
  });

  it('can be read again within one window: same targets, same head', () => {
    const again = lastWindow(context, 2, 1024, 256);
    expect(again.tokens).toHaveLength(256);
    expect(again.tokens.slice(0, context.head)).toEqual(context.tokens.slice(0, context.head));
    expect(again.tokens.slice(context.head)).toEqual(context.tokens.slice(768 + context.head));
    const rung = context.items.flatMap((item, i) => (item.rung === 2 ? [context.targets[i]] : []));
    expect(again.targets).toEqual(rung);
    again.rows.forEach((row, i) => {
      if (row < 255) expect(again.tokens[row + 1]).toBe(again.targets[i]);
    });
  });
});
