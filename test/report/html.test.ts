import { Window } from 'happy-dom';
import { describe, expect, it } from 'vitest';
import type { GateOutcome } from '../../src/report/forms/form.js';
import { HEAT, html, STYLE } from '../../src/report/forms/html.js';
import type { Report } from '../../src/report/schema/report.js';
import { honestyWords } from '../../src/report/sections/conditions.js';
import { summaryTable } from '../../src/report/sections/summary.js';
import { candidate, makeReport, short } from '../helpers/report.js';

const GATE: GateOutcome = {
  verdict: 'failed',
  rules: [
    {
      rule: 'reach >= 128k',
      level: 'error',
      status: 'failed',
      candidate: 'as-configured',
      message: 'found 65,536',
    },
  ],
};

function page(report: Report = makeReport(), gate?: GateOutcome) {
  const source = html(report, {
    color: false,
    columns: 100,
    plots: true,
    ...(gate ? { gate } : {}),
  });
  const window = new Window({ settings: { disableJavaScriptEvaluation: true } });
  window.document.write(source);
  const { document } = window;
  return { source, document, all: (css: string) => [...document.querySelectorAll(css)] };
}

describe('the HTML page', () => {
  const { source, document, all } = page();

  it('holds itself to no network and no script', () => {
    expect(source).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|src=|https?:/i);
    const policy = document.querySelector('meta[http-equiv]')?.getAttribute('content');
    expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'");
  });

  it('has one title, a language, and headings in order', () => {
    expect(document.documentElement.getAttribute('lang')).toBe('en');
    expect(all('h1')).toHaveLength(1);
    const levels = all('h1, h2, h3').map((heading) => Number(heading.tagName.slice(1)));
    for (const [i, level] of levels.entries()) {
      expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    }
  });

  it('has a row a candidate, with headers that say of what', () => {
    const rows = all('[aria-labelledby=summary] .scroll tbody tr');
    expect(rows.map((row) => row.querySelector('th')?.textContent)).toEqual(
      makeReport().candidates.map(({ label }) => label),
    );
    expect(
      all('th').every((cell) => ['row', 'col'].includes(cell.getAttribute('scope') ?? '')),
    ).toBe(true);
    const widths = all('[aria-labelledby=summary] .scroll tr').map((row) => row.children.length);
    expect(new Set(widths).size).toBe(1);
  });

  it('has a heatmap a candidate, lengths down and distances across', () => {
    const maps = all('table.heat');
    expect(maps).toHaveLength(5);
    expect(maps[0]?.querySelectorAll('tbody tr')).toHaveLength(5);
    expect(maps[0]?.querySelectorAll('tbody tr:first-child td')).toHaveLength(8);
    expect(maps[0]?.querySelector('tbody tr:last-child td:last-child')?.textContent).toBe('6');
  });

  it('describes every picture, and every label points somewhere', () => {
    const pictures = all('[role=img]');
    expect(pictures).toHaveLength(3);
    for (const picture of pictures) {
      const about = picture.getAttribute('aria-describedby');
      expect(document.getElementById(about ?? '')?.textContent).toContain('yarn:4');
    }
    const ids = new Set(all('[id]').map(({ id }) => id));
    expect(ids.size).toBe(all('[id]').length);
    for (const element of all('[aria-labelledby]')) {
      for (const id of (element.getAttribute('aria-labelledby') ?? '').split(' ')) {
        expect(ids).toContain(id);
      }
    }
  });

  it('lets a keyboard reach what scrolls', () => {
    for (const region of all('.scroll')) {
      expect(region.getAttribute('tabindex')).toBe('0');
      expect(region.getAttribute('aria-label')).toBeTruthy();
    }
  });

  it('names every table and everything that takes the focus, each in its own words', () => {
    const names = all('table').map(
      (table) => table.querySelector('caption')?.textContent ?? table.getAttribute('aria-label'),
    );
    expect(names).not.toContain(null);
    expect(new Set(names).size).toBe(names.length);
    expect(names[0]).toBe(summaryTable(makeReport()).name);
    const focusable = all('[tabindex="0"]');
    expect(focusable.length).toBeGreaterThan(5);
    for (const element of focusable) {
      expect(element.getAttribute('role'), element.outerHTML.slice(0, 80)).toMatch(/region|group/);
      expect(element.getAttribute('aria-label')).toBeTruthy();
    }
  });

  it('draws no coordinate that is not a number', () => {
    expect(source).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  it('says what it does not claim', () => {
    expect(document.body.textContent).toContain(honestyWords(makeReport()));
  });

  it('escapes what came with the config', () => {
    const evil = '<img src=x onerror=alert(1)>"\'&';
    const config = { ...makeReport().config, architecture: evil, source: evil };
    const candidates = [candidate(evil, 'reaches', 4, short(0, 0))];
    const report = makeReport({
      config,
      candidates,
      recommendation: { code: 'use', candidate: evil, tied: [evil] },
    });
    const { all: every, document: body } = page(report);
    expect(every('img')).toEqual([]);
    expect(body.querySelector('h1')?.textContent).toContain(evil);
  });

  it('shows the gate where one ran', () => {
    expect(page(makeReport(), GATE).document.querySelector('#gate')?.textContent).toBe(
      'Gate: failed',
    );
    expect(document.querySelector('#gate')).toBeNull();
  });

  it('stands for an unfinished run too', () => {
    const empty = {
      ...candidate('yarn:4', 'unclear', 4, short(0, 0)),
      short: null,
      reach: null,
      needle: [],
    };
    const { all: every } = page(makeReport({ status: 'interrupted', candidates: [empty] }));
    expect(every('.callout .warn')[0]?.textContent).toContain('Interrupted');
    expect(every('[role=img]')).toEqual([]);
  });
});

/** WCAG 2.1, relative luminance and contrast ratio. */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [r = 0, g = 0, blue = 0] = [1, 3, 5].map((at) => {
      const c = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

describe('contrast', () => {
  it.each(HEAT)('is at least 4.5 on the heat colour %s', (background, text) => {
    expect(contrast(background, text)).toBeGreaterThanOrEqual(4.5);
  });

  it('is at least 4.5 for every text colour in both schemes', () => {
    const schemes = STYLE.split('@media (prefers-color-scheme: dark)').slice(0, 2);
    expect(schemes).toHaveLength(2);
    for (const scheme of schemes) {
      const color = (name: string) => new RegExp(`--${name}: (#\\w{6})`).exec(scheme)?.[1] ?? '';
      for (const name of ['ink', 'soft', 'accent', 'bad', 'good', 'warn']) {
        for (const ground of ['paper', 'panel']) {
          expect(contrast(color(name), color(ground))).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });
});
