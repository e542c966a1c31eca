#!/usr/bin/env node
/*
 * node tools/pages.js [PAGE …]: runs the commands that pages name and inserts their output.
 *
 * A page marks such a place with `<!-- output of: COMMAND -->` … `<!-- end of output -->`. With
 * `text of` instead of `output of`, the output becomes a code block. The default is all pages.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

const PLACE = /<!-- (output|text) of: (.+?) -->\n[\s\S]*?<!-- end of output -->/g;
const PAGES = [
  'README.md',
  'fixtures/probe-models/README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function outputOf(command) {
  process.stderr.write(`${command}\n`);
  const { stdout, status } = spawnSync('bash', ['-c', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
    // Pages are read anywhere, so the output has 100 columns and no colour.
    env: { ...process.env, COLUMNS: '100', NO_COLOR: '1' },
  });
  if (status !== 0) throw new Error(`exit ${status}: ${command}`);
  return stdout.trim();
}

const asked = process.argv.slice(2);
for (const page of asked.length > 0 ? asked : PAGES) {
  const before = readFileSync(page, 'utf8');
  const after = before.replace(PLACE, (_, form, command) => {
    const text = outputOf(command);
    const shown = form === 'text' ? `\`\`\`\n${text}\n\`\`\`` : text;
    return `<!-- ${form} of: ${command} -->\n\n${shown}\n\n<!-- end of output -->`;
  });
  const options = await resolveConfig(page);
  const tidy = await format(after, { ...options, parser: 'markdown' });
  if (tidy !== before) writeFileSync(page, tidy);
}
