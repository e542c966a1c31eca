import type { Member } from '../engine/index.js';
import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';

/** Between c 0.30, which costs what c 0.38 does, and c 0.22 (docs/validation.md, "Real text"). */
const OVERSTATES_BELOW = 0.26;

/** What a reader should know of a probe model before believing it. */
export function memberFindings({ name, criticalFraction }: Member): Finding[] {
  return criticalFraction < OVERSTATES_BELOW
    ? [finding('uneven_stretch_overstated', '', { member: name })]
    : [];
}
