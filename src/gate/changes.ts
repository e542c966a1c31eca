import { finding } from '../finding-catalogue/index.js';
import type { LayerGroup, ModelGeometry } from '../config/types.js';
import type { Finding } from '../findings.js';
import type { RopeSpec } from '../rope/types.js';

/**
 * What moved between the config before a change and the config after it: base frequency, window,
 * scaling, and which layers they hold for. The probes measure the effect; this names the cause.
 *
 * @param pathOf where the config after the change writes theta, window and scaling
 */
export function changesBetween(
  before: ModelGeometry,
  after: ModelGeometry,
  pathOf: { readonly theta: string; readonly window: string; readonly scaling: string },
): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (kind: string, path: string, found: string, was: string, layers = ''): void => {
    findings.push(finding(kind, path, { found, was, layers }));
  };
  const [was, found] = [before.maxPositions, after.maxPositions];
  if (was !== found) report('window_changed', pathOf.window, String(found), String(was));
  const types = [...before.groups, ...after.groups].map((group) => group.layerType);
  for (const layerType of new Set(types)) {
    const old = groupOf(before, layerType);
    const now = groupOf(after, layerType);
    const layers = types.length > 2 ? layerType : '';
    if (!old || !now) {
      report(
        'layers_changed',
        '',
        now ? 'present' : 'absent',
        old ? 'present' : 'absent',
        layerType,
      );
      continue;
    }
    if (old.unscaled.theta !== now.unscaled.theta) {
      report(
        'theta_changed',
        pathOf.theta,
        String(now.unscaled.theta),
        String(old.unscaled.theta),
        layers,
      );
    }
    const [scaledBefore, scaledNow] = [describeScaling(old.rope), describeScaling(now.rope)];
    if (scaledBefore !== scaledNow) {
      report('scaling_changed', pathOf.scaling, scaledNow, scaledBefore, layers);
    }
  }
  return findings;
}

function groupOf(geometry: ModelGeometry, layerType: string): LayerGroup | undefined {
  return geometry.groups.find((group) => group.layerType === layerType);
}

/** A scaling on one line, without what every spec has: `yarn factor=4 betaFast=32`. */
export function describeScaling(rope: RopeSpec): string {
  if (rope.type === 'default') return 'none';
  const shared = ['type', 'theta', 'rotaryDim', 'exponentDim'];
  const own = Object.entries(rope)
    .filter(([name, value]) => !shared.includes(name) && value !== undefined)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? fingerprint(value) : String(value)}`);
  return [rope.type, ...own].join(' ');
}

/** Long lists of divisors, short enough for a message; equal lists give equal text. */
function fingerprint(values: readonly number[]): string {
  const sum = values.reduce((total, value, index) => total + value * (index + 1), 0);
  return `[${values.length} values, ${String(values[0])} to ${String(values.at(-1))}, check ${sum.toPrecision(12)}]`;
}
