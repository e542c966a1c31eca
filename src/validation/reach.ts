import { formulaReach } from './formulas.js';
import { probeReach, type ProbeOptions } from './probe.js';
import { FULL } from './samples.js';
import type { Geometry } from './types.js';

/** Reach of static NTK as a window multiple. */
export interface ReachRow {
  readonly alpha: number;
  readonly published: number;
  readonly probe: number;
  /** By the trained range alone. */
  readonly formula: number | null;
}

/** Peng et al. 2023 and the NTK-aware thread: static alpha on LLaMA 1, 2048 tokens. */
const PUBLISHED = Object.freeze([
  { alpha: 2, published: 1.7 },
  { alpha: 4, published: 3.1 },
  { alpha: 8, published: 4.4 },
]);
const LLAMA1: Geometry = Object.freeze({ rotaryDim: 128, theta: 1e4, window: 2048 });
const STEPS = Object.freeze([
  1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 10,
]);

/** Empty where no table is about that model. */
export async function reachRows(
  geometries: readonly Geometry[],
  options: ProbeOptions,
): Promise<ReachRow[]> {
  const same = (g: Geometry): boolean => g.theta === LLAMA1.theta && g.window === LLAMA1.window;
  if (!geometries.some(same)) return [];
  const scalings = PUBLISHED.map(({ alpha }) => ({
    spec: { type: 'ntk', theta: LLAMA1.theta, rotaryDim: LLAMA1.rotaryDim, alpha } as const,
    multiples: STEPS.filter((m) => m <= 1.5 * alpha),
  }));
  const found = await probeReach(LLAMA1, scalings, FULL, options);
  return PUBLISHED.map((p, i) => ({
    ...p,
    probe: found[i]!,
    formula: formulaReach(LLAMA1, scalings[i]!.spec),
  }));
}
