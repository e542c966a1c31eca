import { expect, test } from 'vitest';
import { plainTable } from '../../src/report/sections/section.js';
import { fill, textOf, textWidth, widestLine } from '../../src/report/terminal.js';

test.each([
  ['abc', 3],
  ['\u001b[1mabc\u001b[22m', 3],
  ['模型', 4],
  ['e\u0301', 1],
  ['│ – ≥', 5],
])('columns of %j', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('lines break at spaces, and percent signs stay with their number', () => {
  expect(fill('one two three', 7, '')).toBe('one two\nthree');
  expect(fill('one two three', 9, '  ')).toBe('one two\n  three');
  expect(fill('a 97 %', 4, '')).toBe('a\n97 %');
  expect(fill('averylongword b', 5, '')).toBe('averylongword\nb');
});

test('numbers stand to the right, and a head may have two lines', () => {
  const block = plainTable(
    'sizes',
    ['name', { title: 'tokens', narrow: ['of', 'tokens'], align: 'right' }],
    [
      ['a', '1,024'],
      ['模型', '8'],
    ],
  );
  const context = { color: false, columns: 80, plots: true };
  const table = textOf([{ id: 'sizes', depth: 2, blocks: [block] }], context).trimEnd();
  expect(table).toBe('          of\nname  tokens\na      1,024\n模型       8');
  expect(widestLine(table)).toBe(12);
});
