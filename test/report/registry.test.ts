import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { json } from '../../src/report/forms/json.js';
import { fileExtension, REPORTERS } from '../../src/report/forms/index.js';
import { ReportSchema } from '../../src/report/schema/report.js';
import { makeReport } from '../helpers/report.js';

const context = { color: false, columns: 100, plots: true };

describe('reporters', () => {
  it.each(Object.keys(REPORTERS))('%s gives a text that ends with a line break', async (form) => {
    const reporter = await REPORTERS[form]?.load();
    expect(reporter?.(makeReport(), context)).toMatch(/\n$/);
  });

  it('are one file a form', async () => {
    const files = (await readdir('src/report/forms')).map((file) => file.replace('.ts', ''));
    const shared = ['github', 'index', 'form', 'markup', 'style', 'svg'];
    expect(files.filter((file) => !shared.includes(file))).toHaveLength(
      Object.keys(REPORTERS).length,
    );
  });

  it('are chosen by the extension in any case, and never from a prototype', () => {
    expect(fileExtension('a/b.HTML')).toBe('.html');
    expect(REPORTERS['constructor']).toBeUndefined();
    expect(Object.isFrozen(REPORTERS)).toBe(true);
  });
});

it('JSON is the report itself', () => {
  expect(ReportSchema.parse(JSON.parse(json(makeReport(), context)))).toEqual(makeReport());
});
