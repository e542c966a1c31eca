import type { Probe } from '../run.js';
import { decomposition } from './decomposition.js';
import { forms } from './forms.js';
import { offset } from './offset.js';
import { tableSwitch } from './switch.js';

/** Everything that a variant is asked beside the short and the long lengths, in report order. */
export const PROBES: readonly Probe[] = Object.freeze([decomposition, forms, tableSwitch, offset]);
