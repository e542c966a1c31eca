import type { EncodingsReport } from '../encodings-schema.js';
import { encodingsMarkdown } from './markdown.js';
import { encodingsText } from './text.js';

/** Files are read anywhere: no colour, and the width of a usual terminal. */
const FILE = Object.freeze({ color: false, columns: 100 });

/** Forms of the comparison by a file's extension. A new one is a line. */
export const ENCODINGS_FORMS: Readonly<Record<string, (report: EncodingsReport) => string>> =
  Object.freeze({
    '.json': (report) => `${JSON.stringify(report, null, 2)}\n`,
    '.md': encodingsMarkdown,
    '.txt': (report) => encodingsText(report, FILE),
  });
