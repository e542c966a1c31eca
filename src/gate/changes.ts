import { finding } from '../findings/index.js';
import type { Finding } from '../findings/types.js';
import type { LayerGroup, ModelGeometry } from '../model/types.js';
import type { RopeSpec } from '../rope/registry.js';

/**
 * What moved between the config before a change and the config after it: base frequency, window,
 * scaling, and which layers they hold for. The probes measure the effect; this names the cause.
 *
 * @param pathOf where the config after the change writes theta, windows and scaling
 */
export function changesBetween(
  before: ModelGeometry,
  after: ModelGeometry,
  pathOf: Readonly<Record<'theta' | 'window' | 'localWindow' | 'scaling', string>>,
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
    const [saw, sees] = [windowOf(old), windowOf(now)];
    if (saw !== sees) {
      const [wide, wideNow] = [before.maxPositions, after.maxPositions];
      const [sight, sightNow] = [String(saw ?? wide), String(sees ?? wideNow)];
      report('window_changed', pathOf.localWindow, sightNow, sight, layerType);
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

/** Tokens that a layer looks back over at most; undefined = the whole context. */
function windowOf({ span }: LayerGroup): number | undefined {
  return span.kind === 'global' ? undefined : span.window;
}

function groupOf(geometry: ModelGeometry, layerType: string): LayerGroup | undefined {
  return geometry.groups.find((group) => group.layerType === layerType);
}

/** A scaling on one line, by the keys of a config: `yarn factor=4 beta_fast=32`. */
export function describeScaling(rope: RopeSpec): string {
  if (rope.type === 'default') return 'none';
  const shared = ['type', 'theta', 'rotaryDim', 'exponentDim'];
  const own = Object.entries(rope)
    .filter(([name, value]) => !shared.includes(name) && value !== undefined)
    .map(([name, value]) => `${configKey(name)}=${Array.isArray(value) ? briefly(value) : value}`);
  return [rope.type, ...own].join(' ');
}

/** The reader knows the file, not our names for what is in it. */
function configKey(name: string): string {
  return name
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/max_positions$/, 'max_position_embeddings');
}

/** Long lists of divisors, short enough for a message; lists that differ give another mean. */
function briefly(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `[${values.length} numbers from ${values[0]} to ${values.at(-1)}, mean ${mean.toPrecision(8)}]`;
}
