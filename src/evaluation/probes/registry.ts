import type { Probe } from '../run.js';
import { decomposition } from './decomposition.js';
import { forms } from './dynamic-forms.js';
import { offset } from './offset.js';
import { tableSwitch } from './switch.js';

/** All probes besides the short and the long contexts, in the order of the report. */
export const PROBES: readonly Probe[] = Object.freeze([decomposition, forms, tableSwitch, offset]);
