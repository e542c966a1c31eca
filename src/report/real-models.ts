import { readFileSync } from 'node:fs';
import type { CostFamily } from '../rope/kind.js';
import { ROPE_KINDS, type RopeType } from '../rope/registry.js';
import { kindOfSubject } from '../subjects/schema.js';
import type { CandidateReport, Report } from './schema/report.js';

/** The cost of one scaling on a real model within its trained window. */
export interface RealCost {
  readonly family: CostFamily;
  readonly factor: number;
  /** Next-token loss minus the unscaled model's on the same text, in nats. */
  readonly nats: number;
  /** The probe's cost of the same scaling, for the same geometry and length, in nats. */
  readonly probe: number;
}

/** A real model with known costs. */
export interface RealModel {
  readonly name: string;
  readonly parameters: number;
  /** Tokens. */
  readonly trainedWindow: number;
  readonly source: string;
  readonly costs: readonly RealCost[];
}

/** Real models with known costs, the largest first, as tools/real-models/table.ts writes them. */
export const REAL_MODELS: readonly RealModel[] = Object.freeze(
  JSON.parse(
    readFileSync(new URL('./data/real-models.json', import.meta.url), 'utf8'),
  ) as RealModel[],
);

/** Smaller costs are within the rounding of the published results, so their ratios mean nothing. */
const SMALLEST = 0.003;

/** The ratio of a model's cost to the probe's: the median over its scalings of one family. */
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

/** Range of a short-context cost over real models. */
export type CostRange = NonNullable<CandidateReport['shortOnModels']>;

/**
 * Converts a short-context cost of the probe to that of real models. The probe ranks scalings; the
 * size of a cost depends on the model's size and training, by a factor of ten for linear.
 *
 * @param type rope type of the scaling
 * @param nats the probe's loss change at lengths within the trained window
 * @returns undefined if the probe reports no cost, or if no model of that family was measured
 */
export function costOnRealModels(type: RopeType, nats: number): CostRange | undefined {
  if (!(nats > 0)) return undefined;
  const known = REAL_MODELS.flatMap((model) => {
    const times = timesProbe(model, ROPE_KINDS[type].costsLike);
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

/**
 * Returns what real models lose where a report's probe has a short-context cost.
 *
 * @param nats default: the candidate's own cost; otherwise that of one of its forms
 * @returns undefined if there is no cost, and for a user's own weights, whose cost is measured
 */
export function shortCostOnModels(
  { subject }: Pick<Report, 'subject'>,
  { groups, short }: Pick<CandidateReport, 'groups' | 'short'>,
  nats = short?.lossChange.value ?? 0,
): CostRange | undefined {
  const type = groups.find(({ changed }) => changed)?.ropeType;
  if (!kindOfSubject(subject).standsIn || type === undefined || !isRopeType(type)) return undefined;
  return costOnRealModels(type, nats);
}

function isRopeType(type: string): type is RopeType {
  return Object.hasOwn(ROPE_KINDS, type);
}

/** Words a range: `0.05 to 0.17 on models of 7 B to 0.1 B`; '' if no model differs from another. */
export function rangeText(range: CostRange | undefined): string {
  if (range === undefined || range.largest === range.smallest) return '';
  const { low, high, largest, smallest } = range;
  return `${low.toFixed(2)} to ${high.toFixed(2)} on models of ${parametersText(largest)} to ${parametersText(smallest)}`;
}

/** Says whose nats a probe's short-context costs are; '' for a user's own weights. */
export function scaleWords({ subject }: Pick<Report, 'subject'>): string {
  const [largest, smallest] = [REAL_MODELS[0], REAL_MODELS.at(-1)];
  if (!kindOfSubject(subject).standsIn || !largest || !smallest || largest === smallest) return '';
  const times = (families: readonly CostFamily[]): string => {
    const all = families.flatMap((family) => timesProbe(smallest, family) ?? []);
    const [low, high] = [Math.min(...all), Math.max(...all)].map((x) => x.toPrecision(2));
    return low === high ? `${low}` : `${low} to ${high}`;
  };
  return (
    `Short-context nats are about those of a model of ${parametersText(largest.parameters)}; one of ` +
    `${parametersText(smallest.parameters)} pays ${times(['ntk', 'by-parts', 'yarn'])} times as much, ` +
    `for linear ${times(['linear'])} times. --model measures your own weights.`
  );
}

/** `7 B`, `0.1 B` */
export function parametersText(parameters: number): string {
  return `${Number((parameters / 1e9).toPrecision(1))} B`;
}
