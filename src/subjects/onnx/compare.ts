import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { finding, type Finding } from '../../findings/index.js';
import { stored } from '../../geometry/fingerprint.js';
import { computeRope, lengthDependent, type RopeSpec } from '../../rope/registry.js';
import type { ExportedTable, ExportReport } from '../schema.js';
import { ExportedModel, SHORT_POSITIONS, type SiteInfo } from './exported.js';
import { errors } from './refusals.js';
import { readTable, rotaryValues, type RotaryValues } from './rotary.js';
import { findGraph } from './tokenizer.js';

/** Compares the tables that an export runs with to those that a config implies. */

/** What the comparison needs to know about the config's model. */
export interface ConfiguredModel {
  /** Groups of layers that share a table. */
  readonly groups: readonly {
    readonly layerType: string;
    readonly layers: readonly number[];
    /** The scaling of the config, and the same table without it. */
    readonly rope: RopeSpec;
    readonly unscaled: RopeSpec;
    /** false: scalings do not reach these layers. */
    readonly scalable?: boolean;
  }[];
  /** The order in which graphs store the pairs, if they are not sorted by frequency. */
  readonly pairOrder?: readonly number[];
}

type Group = ConfiguredModel['groups'][number];

/** A config's model, and the number of tokens that the config allows. */
export interface ClaimingModel extends ConfiguredModel {
  readonly maxPositions: number;
}

/**
 * Returns, for each site of the graph, the index of the layer group that it serves. The layers that
 * use the site decide; if the exporter does not name them, the frequencies of its table do. A site
 * that serves several groups counts for the first of them.
 *
 * @throws RopeEvalError `onnx_other_model` if graph and config do not describe the same model
 */
export function groupsOfSites(
  { groups }: ConfiguredModel,
  sites: readonly Pick<SiteInfo, 'form' | 'layers' | 'own'>[],
): number[] {
  const layers = new Set(groups.flatMap((group) => group.layers));
  const strange = sites.flatMap((site) => site.layers).find((n) => n >= 0 && !layers.has(n));
  if (strange !== undefined) throw errors.layer(strange, layers.size);
  // All nodes that take a cache are known, but layers of computed rows are found only by their
  // names.
  const named = new Set(sites.flatMap((site) => site.layers));
  const seen =
    sites.every(({ form }) => form !== 'computed' && form !== 'folded') && !named.has(-1);
  if (seen && named.size !== layers.size) throw errors.layers(named.size, layers.size);
  const served = sites.map(({ layers, own }) => {
    const wanted = groups.flatMap((group, index) =>
      group.rope.rotaryDim === 2 * own.pairs ? [index] : [],
    );
    if (wanted.length === 0) throw errors.pairs(own.pairs, groups[0]!.rope.rotaryDim / 2);
    const named = wanted.find((index) =>
      layers.some((layer) => groups[index]!.layers.includes(layer)),
    );
    if (named !== undefined) return named;
    const { invFreq } = readTable(own);
    const distance = (index: number): number =>
      largestLogRatio(invFreq, computeRope(groups[index]!.rope).invFreq);
    return wanted.reduce((best, index) => (distance(index) < distance(best) ? index : best));
  });
  // One table can serve layers that differ only in how far they look back.
  const alone = groups.find((group) => !served.some((index) => alike(groups[index]!, group)));
  if (alone) throw errors.tables(sites.length, alone.layerType);
  return served;
}

/** Whether the layers of both groups have the same table, whatever the scaling. */
function alike(a: Group, b: Group): boolean {
  return (
    (a.scalable ?? true) === (b.scalable ?? true) &&
    isDeepStrictEqual([a.rope, a.unscaled], [b.rope, b.unscaled])
  );
}

function largestLogRatio(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((worst, x, i) => {
    const y = b[i]!;
    return x > 0 && y > 0 ? Math.max(worst, Math.abs(Math.log(x / y))) : worst;
  }, 0);
}

/** The longest table that is compared. */
const MOST_POSITIONS = 65_536;

/**
 * Returns the number of positions at which tables are compared: as many as the config allows, and
 * twice as many if its scaling depends on the length, because it may start to act only there.
 */
export function comparedPositions({ groups, maxPositions }: ClaimingModel): number {
  const grows = groups.some(({ rope }) => lengthDependent(rope));
  return Math.min(MOST_POSITIONS, grows ? 2 * maxPositions : maxPositions);
}

/**
 * Compares each table of an export with the one that the config implies.
 *
 * @param positions number of positions that were read from the export
 * @param groups (sites) the layer group that each site serves
 */
export function compareTables(
  model: ConfiguredModel,
  sites: readonly SiteInfo[],
  positions: number,
  groups = groupsOfSites(model, sites),
): ExportedTable[] {
  return sites.map((site, i) => {
    const group = model.groups[groups[i]!]!;
    const wide = site.ownLong ?? site.own;
    const difference = Math.max(
      differenceFrom(group.rope, SHORT_POSITIONS, firstRows(site.own), site, model),
      differenceFrom(group.rope, positions, wide, site, model),
    );
    const { invFreq, attentionScaling } = readTable(wide);
    return {
      layerType: group.layerType,
      layers: [...site.layers].filter((layer) => layer >= 0),
      form: site.form,
      positions: wide.positions,
      invFreq: [...invFreq],
      attentionScaling,
      difference,
      same: difference === 0,
      looksLike:
        difference > 0 && differenceFrom(group.unscaled, positions, wide, site, model) === 0
          ? 'unscaled'
          : null,
    };
  });
}

/** The rows of a short context, for which a config may mean another table than for a long one. */
function firstRows({ positions, pairs, cos, sin }: RotaryValues): RotaryValues {
  const rows = Math.min(SHORT_POSITIONS, positions);
  const end = rows * pairs;
  return { positions: rows, pairs, cos: cos.subarray(0, end), sin: sin.subarray(0, end) };
}

/** The largest difference in cos or sin that rounding explains, for the numbers of a table. */
const ROUNDING = Object.freeze({ full: 2e-3, half: 4e-3 });
/** The same for the angle, relative to it, because exporters compute angles in float32. */
const ANGLE_ROUNDING = 4e-7;

/** Returns the largest difference in cos and sin; 0 if rounding explains all of them. */
function differenceFrom(
  rope: RopeSpec,
  length: number,
  own: RotaryValues,
  { half }: Pick<SiteInfo, 'half'>,
  model: ConfiguredModel,
): number {
  const { invFreq, attentionScaling } = stored(computeRope(rope, length), model);
  const wanted = rotaryValues(invFreq, attentionScaling, own.positions);
  const [near, far] = [half ? ROUNDING.half : ROUNDING.full, ANGLE_ROUNDING * attentionScaling];
  let [worst, excess] = [0, 0];
  for (const of of ['cos', 'sin'] as const)
    for (let i = 0; i < own[of].length; i++) {
      const apart = Math.abs(own[of][i]! - wanted[of][i]!);
      const angle = Math.floor(i / own.pairs) * invFreq[i % own.pairs]!;
      worst = Math.max(worst, apart);
      excess = Math.max(excess, apart - near - far * angle);
    }
  return excess > 0 ? worst : 0;
}

/**
 * Reads the tables of an export without loading its weights.
 *
 * @param specs another scaling to compare with, parallel to the groups of the model
 * @throws RopeEvalError exit 2 for a file that cannot be understood
 */
export async function inspectExport(
  { path, file }: { readonly path: string; readonly file?: string },
  model: ClaimingModel,
  specs?: readonly RopeSpec[],
): Promise<ExportReport> {
  const groups = model.groups.map((group, i) => ({ ...group, rope: specs?.[i] ?? group.rope }));
  const shown = { ...model, groups };
  const graph = findGraph(path, file);
  const positions = comparedPositions(shown);
  const exported = await ExportedModel.open({ file: graph, device: 'cpu', threads: 1, positions });
  try {
    return {
      name: basename(graph),
      producer: exported.graph.producer,
      // Which layers a table serves is told from the scaling of the config, not from another.
      tables: compareTables(
        shown,
        exported.tables,
        positions,
        groupsOfSites(model, exported.tables),
      ),
    };
  } finally {
    exported.close();
  }
}

/** Reports the tables of an export that differ from those of the config. */
export function exportFindings(tables: readonly ExportedTable[]): Finding[] {
  return tables.flatMap(({ same, layerType, difference, looksLike }) =>
    same
      ? []
      : [
          finding('export_has_other_table', '', {
            layerType,
            difference,
            unscaled: looksLike === 'unscaled',
          }),
        ],
  );
}
