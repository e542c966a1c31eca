import type { Reporter } from './form.js';

/** The report itself, as `rope-eval schema report` describes it. */
export const json: Reporter = (report) => `${JSON.stringify(report, null, 2)}\n`;
