import type { Reporter } from './form.js';

/** Writes the report itself, as `rope-eval schema report` describes it. */
export const json: Reporter = (report) => `${JSON.stringify(report, null, 2)}\n`;
