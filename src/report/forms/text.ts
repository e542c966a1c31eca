import { reportSections } from '../sections/index.js';
import { textOf } from '../terminal.js';
import type { Reporter } from './form.js';

/** Draws a report as in a terminal. */
export const text: Reporter = (report, context) =>
  textOf(reportSections(report, context.gate), context);
