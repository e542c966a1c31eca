import { readFileSync } from 'node:fs';
import type { RopeType } from '../rope/registry.js';

/** Scalings that cost real models alike. */
export type CostFamily = 'linear' | 'ntk' | 'by-parts' | 'yarn';

/** What one scaling costs a real model within its trained window. */
export interface RealCost {
  readonly family: CostFamily;
  readonly factor: number;
  /** Next-token loss above the unscaled model's on the same text, nats. */
  readonly nats: number;
  /** What the probe reports of the same scaling on the same geometry and length, nats. */
  readonly probe: number;
}

/** A real model whose costs are known. */
export interface RealModel {
  readonly name: string;
  readonly parameters: number;
  /** Tokens. */
  readonly trainedWindow: number;
  readonly source: string;
  readonly costs: readonly RealCost[];
}

/**
 * Every real model that is known, the largest first; made by tools/real-models/table.ts from published
 * results and from what was measured.
 */
export const REAL_MODELS: readonly RealModel[] = Object.freeze(
  JSON.parse(
    readFileSync(new URL('./data/real-models.json', import.meta.url), 'utf8'),
  ) as RealModel[],
);

/** The measured family that stands for each rope type; a changed theta is what NTK changes. */
const FAMILY_OF: Readonly<Record<RopeType, CostFamily>> = Object.freeze({
  default: 'ntk',
  linear: 'linear',
  ntk: 'ntk',
  'ntk-mixed': 'ntk',
  dynamic: 'ntk',
  yarn: 'yarn',
  llama3: 'by-parts',
  longrope: 'by-parts',
  proportional: 'by-parts',
});

/** Below this a cost is within the rounding of what was published: it says nothing of a ratio. */
const SMALLEST = 0.003;

/** How many times the probe's cost a model pays: the median over its scalings of a family. */
export function timesProbe({ costs }: RealModel, family: CostFamily): number | undefined {
  const ratios = costs
    .filter((cost) => cost.family === family && cost.nats >= SMALLEST && cost.probe >= SMALLEST)
    .map(({ nats, probe }) => nats / probe)
    .sort((a, b) => a - b);
  const middle = ratios.length / 2;
  if (ratios.length === 0) return undefined;
  return ratios.length % 2 === 1
    ? ratios[Math.floor(middle)]
    : Math.sqrt(ratios[middle - 1]! * ratios[middle]!);
}

/** A short-context cost, as real models pay it. */
export interface CostRange {
  /** Nats. */
  readonly low: number;
  readonly high: number;
  /** Parameters of the largest and the smallest model that it rests on. */
  readonly largest: number;
  readonly smallest: number;
}

/**
 * What real models lose where the probe reports a short-context cost. The probe ranks scalings; how much
 * one costs depends on the model's size and training, by a factor of ten for linear.
 *
 * @param type rope type of the scaling
 * @param nats loss change that the probe reports at lengths within the trained window
 * @returns undefined where the probe reports no cost, or no model of that family was measured
 */
export function costOnRealModels(type: RopeType, nats: number): CostRange | undefined {
  if (!(nats > 0)) return undefined;
  const known = REAL_MODELS.flatMap((model) => {
    const times = timesProbe(model, FAMILY_OF[type]);
    return times === undefined ? [] : [{ times, parameters: model.parameters }];
  });
  if (known.length === 0) return undefined;
  const times = known.map((k) => k.times);
  const sizes = known.map((k) => k.parameters);
  return {
    low: nats * Math.min(...times),
    high: nats * Math.max(...times),
    largest: Math.max(...sizes),
    smallest: Math.min(...sizes),
  };
}

/** `7 B`, `0.1 B` */
export function parametersText(parameters: number): string {
  return `${Number((parameters / 1e9).toPrecision(1))} B`;
}
