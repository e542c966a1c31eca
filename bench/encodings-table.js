#!/usr/bin/env node
// node bench/encodings-table.js: prints the bundled measurement of position encodings for
// docs/encodings.md.
import { readFileSync } from 'node:fs';
import { encodingsSections } from '../dist/encodings/sections.js';
import { markdownOf } from '../dist/report/forms/markdown.js';

const measured = new URL('../fixtures/probe-models/encodings-measured.json', import.meta.url);
console.log(
  markdownOf(encodingsSections(JSON.parse(readFileSync(measured, 'utf8'))), { plots: false }),
);
