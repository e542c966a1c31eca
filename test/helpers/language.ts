import { readFileSync } from 'node:fs';
import { LanguageSchema } from '../../src/probes/language.js';

/** The bundled language of the probes. */
export const language = LanguageSchema.parse(
  JSON.parse(
    readFileSync(new URL('../../fixtures/probe-models/language.json', import.meta.url), 'utf8'),
  ),
);
