import { describe, expect, it } from 'vitest';
import { markdown } from '../../src/report/forms/markdown.js';
import { honestyWords } from '../../src/report/sections/conditions.js';
import { candidate, makeReport, short } from '../helpers/report.js';

const context = { color: false, columns: 100, plots: true };

describe('Markdown', () => {
  const printed = markdown(makeReport(), context);

  it('has tables whose rows have as many cells as their heads', () => {
    const tables = printed.split('\n\n').filter((block) => block.startsWith('|'));
    expect(tables).toHaveLength(2);
    for (const table of tables) {
      const widths = table.split('\n').map((row) => row.split(' | ').length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  it('marks the recommended candidate and says what is not claimed', () => {
    expect(printed).toContain('| **`dynamic:4`** |');
    expect(printed).toContain(honestyWords(makeReport()));
  });

  it('leaves the heatmap out without plots', () => {
    expect(printed).toContain('<details>');
    expect(markdown(makeReport(), { ...context, plots: false })).not.toContain('<details>');
  });

  it('puts the gate first', () => {
    const rules = [
      {
        rule: 'a | b',
        level: 'error',
        status: 'failed',
        candidate: 'yarn:4',
        message: 'found 1',
      } as const,
    ];
    const gated = markdown(makeReport(), { ...context, gate: { verdict: 'failed', rules } });
    expect(gated.indexOf('### Gate: failed')).toBeLessThan(gated.indexOf('Use dynamic:4'));
    expect(gated).toContain('| `a \\| b` | `yarn:4` | error | failed | found 1 |');
  });

  it('calls nobody and renders no markup from a config', () => {
    const name = '@octocat <b>`|x';
    const config = { ...makeReport().config, architecture: name, source: name };
    const candidates = [candidate(name, 'reaches', 4, short(0, 0))];
    const evil = markdown(makeReport({ config, candidates }), context);
    expect(evil.split('\n')[0]).toBe(
      '## @\u200doctocat &lt;b>\\`\\|x: RoPE scalings to 131,072 tokens',
    );
    expect(evil).not.toContain('<b>`');
  });
});
