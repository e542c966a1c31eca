import { dialectOf } from '../model/registry.js';
import { effectiveTheta, scalingBlock } from '../rope/registry.js';
import type { EmitGroup, EmitInput } from './types.js';

/** Where a class reads a scaling, as far as that decides what is written. */
export type Plan =
  /** One block for all layers: what the first group says holds for the others too. */
  | { readonly kind: 'one'; readonly group: EmitGroup }
  /** A block for each layer type, even where the config has layers of one type only. */
  | { readonly kind: 'per-layer' }
  | { readonly kind: 'none'; readonly reason: string; readonly instead: string };

/** How the model's class takes a scaling; the config reader's dialects know. */
export function planOf({ geometry, groups }: EmitInput): Plan {
  const { modelType } = geometry;
  const { writes } = dialectOf(modelType);
  if (writes === 'fixed') {
    return {
      kind: 'none',
      reason: `${modelType} reads neither a scaling nor a theta: its class has one fixed table`,
      instead: 'Another model, or an engine with options of its own for RoPE.',
    };
  }
  if (writes === 'per-layer') return { kind: 'per-layer' };
  const [group] = groups;
  if (new Set(groups.map(({ rope }) => settingOf(rope))).size === 1) return { kind: 'one', group };
  const types = groups.map(({ layerType }) => layerType).join(', ');
  return {
    kind: 'none',
    reason: `${modelType} reads one block for all layers, and here its kinds of layers (${types}) need different ones`,
    instead: 'Choose a scaling that treats all layers alike.',
  };
}

/** What a block says; the rest of a spec follows from the shape of the model. */
function settingOf(rope: EmitGroup['rope']): string {
  return JSON.stringify([scalingBlock(rope) ?? null, effectiveTheta(rope)]);
}
