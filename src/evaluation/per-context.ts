import { createHash } from 'node:crypto';
import type { ProbeTable } from '../geometry/transfer.js';
import { accuracyByDistance, clusters, type Measurement } from '../probes/measure.js';
import type { Cluster } from '../probes/statistics.js';
import type { PerContext, ShortRows } from '../report/schema/report.js';
import type { Plan } from './candidate.js';
import type { FurtherContexts, Sets } from './context-sets.js';
import type { ContextSet, JobList } from './jobs.js';
import type { Setup } from './setup.js';

/**
 * Every candidate's sums by context, for a paired comparison with another run.
 *
 * @param plans the reference first
 * @returns undefined where some measurement is missing (interrupted)
 */
export function perContext(
  plans: readonly Plan[],
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  setup: Setup,
): PerContext | undefined {
  const rows = plans.map((plan) => candidateRows(plan, jobs, sets, further, setup));
  const [reference] = rows;
  if (!reference || !rows.every((row) => row !== undefined)) return undefined;
  const { facts, copies, textLoss } = reference.short;
  // Rows that are shorter are of the first of these contexts.
  const longest = rows.reduce((a, b) => (contextsOf(b) > contextsOf(a) ? b : a));
  return {
    sha256: digest([sets.short, sets.shortText, sets.long]),
    counts: {
      facts: row(facts, 'count'),
      copies: row(copies, 'count'),
      text: row(textLoss, 'count'),
      needle: grid(longest.needle, 'count'),
    },
    candidates: rows.map(({ label, short, needle, local }) => ({
      label,
      short: shortRows(short),
      needle: grid(needle, 'sum'),
      local: local.map((each) => ({ layerType: each.layerType, ...shortRows(each.short) })),
    })),
  };
}

const contextsOf = ({ needle }: { needle: readonly (readonly Cluster[][])[] }): number =>
  needle[0]?.[0]?.length ?? 0;

type ShortClusters = Readonly<Record<keyof ShortRows, readonly Cluster[]>>;

function candidateRows(
  plan: Plan,
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  setup: Setup,
) {
  const short = (tables: readonly ProbeTable[]): ShortClusters | undefined => {
    const facts = jobs.measurement(sets.short, tables);
    const text = jobs.measurement(sets.shortText, tables);
    return facts && text && shortClusters(facts, text, sets);
  };
  const own = jobs.measurement(sets.long, plan.long);
  const long = own && further.measurement(own, jobs, plan.long);
  const main = short(plan.short[setup.main]!);
  const local = plan.short.map((tables, g) => ({
    layerType: setup.model.groups[g]!.layerType,
    short: short(tables),
  }));
  if (!long || !main) return undefined;
  return {
    label: plan.label,
    short: main,
    needle: accuracyByDistance(
      long,
      plan.long.map((_, r) => r),
    ),
    local: local.flatMap(({ layerType, short: found }, g) =>
      g === setup.main || !found ? [] : [{ layerType, short: found }],
    ),
  };
}

function shortClusters(facts: Measurement, text: Measurement, sets: Sets): ShortClusters {
  const rungs = sets.short.lengths.map((_, r) => r);
  return {
    facts: clusters(facts, { kind: 'fact', rungs }, 'accuracy'),
    copies: clusters(facts, { kind: 'copy', rungs }, 'accuracy'),
    copyLoss: clusters(facts, { kind: 'copy', rungs }, 'loss'),
    textLoss: clusters(text, { kind: 'language', rungs }, 'loss'),
  };
}

function shortRows({ facts, copies, copyLoss, textLoss }: ShortClusters): ShortRows {
  return {
    facts: row(facts, 'sum'),
    copies: row(copies, 'sum'),
    copyLoss: row(copyLoss, 'sum'),
    textLoss: row(textLoss, 'sum'),
  };
}

/** Digits of a summed loss: some 20 tokens or more share it, so that a mean keeps six. */
const DIGITS = 5;

function row(list: readonly Cluster[], key: keyof Cluster): string {
  return list.map((each) => String(Number(each[key].toFixed(DIGITS)))).join(' ');
}

function grid(bins: readonly (readonly Cluster[][])[], key: keyof Cluster): string[][] {
  return bins.map((rung) => rung.map((bin) => row(bin, key)));
}

/** Equal = the same texts, asked the same. */
function digest(sets: readonly ContextSet[]): string {
  const hash = createHash('sha256');
  for (const { contexts } of sets) {
    hash.update(JSON.stringify(contexts.map(({ tokens, rows }) => [tokens, rows])));
  }
  return hash.digest('hex');
}
