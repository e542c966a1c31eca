import { finding, type Finding } from '../findings/index.js';
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
  const [was, found] = [before.maxPositions, after.maxPositions];
  if (was !== found) {
    findings.push(finding('window_changed', pathOf.window, { found, was, layers: '' }));
  }
  const types = [...before.groups, ...after.groups].map((group) => group.layerType);
  for (const layerType of new Set(types)) {
    const [old, now] = [groupOf(before, layerType), groupOf(after, layerType)];
    if (!old || !now) {
      const args = { found: presence(now), was: presence(old), layers: layerType };
      findings.push(finding('layers_changed', '', args));
      continue;
    }
    const [saw, sees] = [windowOf(old), windowOf(now)];
    if (saw !== sees) {
      const args = { found: sees ?? found, was: saw ?? was, layers: layerType };
      findings.push(finding('window_changed', pathOf.localWindow, args));
    }
    // Naming the layers of a model that has one kind of them says nothing.
    const layers = types.length > 2 ? layerType : '';
    const [theta, newTheta] = [old.unscaled.theta, now.unscaled.theta];
    if (theta !== newTheta) {
      findings.push(
        finding('theta_changed', pathOf.theta, { found: newTheta, was: theta, layers }),
      );
    }
    const [scaling, newScaling] = [describeScaling(old.rope), describeScaling(now.rope)];
    if (scaling !== newScaling) {
      const args = { found: newScaling, was: scaling, layers };
      findings.push(finding('scaling_changed', pathOf.scaling, args));
    }
  }
  return findings;
}

/** Tokens that a layer looks back over at most; undefined = the whole context. */
function windowOf({ span }: LayerGroup): number | undefined {
  return span.kind === 'global' ? undefined : span.window;
}

function presence(group: LayerGroup | undefined): 'present' | 'absent' {
  return group === undefined ? 'absent' : 'present';
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
