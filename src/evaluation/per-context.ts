import { createHash } from 'node:crypto';
import { accuracyByDistance, clusters } from '../probes/measure.js';
import type { Cluster } from '../probes/statistics.js';
import type { PerContext, ShortRows } from '../report/schema/report.js';
import type { ContextSet } from './questions.js';
import type { FactsAndText, RunPlan, Variant } from './run.js';
import { decisiveOf } from './variant.js';

/**
 * Every candidate's sums by context, for a paired comparison with another run.
 *
 * @returns undefined where some measurement is missing (interrupted)
 */
export function perContext(run: RunPlan): PerContext | undefined {
  const { sets } = run;
  const rows = run.variants.map((variant) => variantRows(run, variant));
  const [reference] = rows;
  if (!reference || !rows.every((row) => row !== undefined)) return undefined;
  const { facts, copies, textLoss } = reference.short;
  // Rows that are shorter are of the first of these contexts.
  const longest = rows.reduce((a, b) => (contextsOf(b) > contextsOf(a) ? b : a));
  return {
    sha256: digest([sets.short, sets.shortText, sets.ladder]),
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

function variantRows(run: RunPlan, { label, short, ladder }: Variant) {
  const { setup, subject, multiples } = run;
  const own = ladder.facts.measurement();
  const main = shortClusters(run, short[decisiveOf(run)]!);
  if (!own || !main) return undefined;
  const local = subject.groups.flatMap(({ group }, index) => {
    const found = shortClusters(run, short[index]!);
    const { layerType } = setup.groups[group]!;
    return group === setup.decisive || !found ? [] : [{ layerType, short: found }];
  });
  const rungs = multiples.map((_, rung) => rung);
  return { label, short: main, needle: accuracyByDistance(own, rungs), local };
}

function shortClusters({ sets }: RunPlan, asked: FactsAndText): ShortClusters | undefined {
  const [facts, text] = [asked.facts.measurement(), asked.text.measurement()];
  if (!facts || !text) return undefined;
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
