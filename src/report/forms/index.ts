import { extname } from 'node:path';
import type { Reporter } from './form.js';

export interface ReporterEntry {
  readonly title: string;
  /** Loads the form when it is needed. A run without `-o report.html` never loads the HTML form. */
  readonly load: () => Promise<Reporter>;
}

/** Output forms by file extension. To add one, write a file and add a line. */
export const REPORTERS: Readonly<Record<string, ReporterEntry>> = Object.freeze({
  __proto__: null as never,
  '.json': { title: 'everything', load: async () => (await import('./json.js')).json },
  '.md': { title: 'GitHub Markdown', load: async () => (await import('./markdown.js')).markdown },
  '.html': { title: 'one page', load: async () => (await import('./html.js')).html },
  '.xml': { title: 'JUnit', load: async () => (await import('./junit.js')).junit },
  '.csv': { title: 'a row per length', load: async () => (await import('./csv.js')).csv },
  '.txt': { title: 'as in the terminal', load: async () => (await import('./text.js')).text },
});

export function fileExtension(path: string): string {
  return extname(path).toLowerCase();
}
