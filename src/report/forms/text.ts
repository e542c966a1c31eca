import { reportSections } from '../sections/index.js';
import { textOf } from '../terminal.js';
import type { Reporter } from './form.js';

/** The report for a person at a terminal. */
export const text: Reporter = (report, context) =>
  textOf(reportSections(report, context.gate), context);
