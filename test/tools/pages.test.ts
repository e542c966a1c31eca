import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../helpers/built.js';

const script = join(ROOT, 'tools/pages.js');
/** The mark after an output in a page. */
const END = '<!-- end of output -->';
const page = join(mkdtempSync(join(tmpdir(), 'pages-')), 'page.md');

it('puts the output of the commands that a page names between its marks, and leaves the rest', () => {
  writeFileSync(
    page,
    'before\n\n<!-- output of: echo "| a |" && echo "| - |" -->\n\nold\n\n' +
      `${END}\n\nbetween\n\n` +
      `<!-- text of: echo \\$COLUMNS -->\n${END}\n\nafter\n`,
  );
  execFileSync(process.execPath, [script, page], { stdio: 'pipe' });
  const written = readFileSync(page, 'utf8');
  expect(written).toContain(`-->\n\n| a   |\n| --- |\n\n${END}`);
  expect(written).toContain(`-->\n\n\`\`\`\n$COLUMNS\n\`\`\`\n\n${END}\n\nafter\n`);
  expect(written).toMatch(/^before\n/);
  expect(written).not.toContain('old');
  execFileSync(process.execPath, [script, page], { stdio: 'pipe' });
  expect(readFileSync(page, 'utf8')).toBe(written);
});

it('changes nothing where a command fails', () => {
  const text = `<!-- text of: false -->\n\n${END}\n`;
  writeFileSync(page, text);
  expect(spawnSync(process.execPath, [script, page]).status).toBe(1);
  expect(readFileSync(page, 'utf8')).toBe(text);
});
