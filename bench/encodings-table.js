import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { encodingsMarkdown } from '../dist/encodings/forms.js';

/* Copies the bundled measurement of position encodings into docs/encodings.md. */

const at = (path) => new URL(`../${path}`, import.meta.url);
const report = JSON.parse(
  readFileSync(at('fixtures/probe-models/encodings-measured.json'), 'utf8'),
);
const page = readFileSync(at('docs/encodings.md'), 'utf8');
const [start, end] = ['<!-- measured -->', '<!-- /measured -->'];
const [before, , after] = page.split(new RegExp(`(?<=${start})|(?=${end})`));
const text = `${before}\n\n${encodingsMarkdown(report)}\n${after}`;
const options = await resolveConfig(at('docs/encodings.md'));
writeFileSync(at('docs/encodings.md'), await format(text, { ...options, parser: 'markdown' }));
