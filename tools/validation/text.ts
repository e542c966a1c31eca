import Table from 'cli-table3';
import { LOSS_SCALE } from '../../src/subjects/bundled/subject.js';
import { type Agreement, changeRatio, kendallTau, scalingName } from './agreement.js';
import type { FormulaWeights } from './formulas.js';
import type { Both, Cell, Validation } from './run.js';
import type { Row } from './types.js';

const share = ({ agree, total }: Agreement): string =>
  total === 0 ? '-' : `${agree}/${total} (${((100 * agree) / total).toFixed(0)} %)`;

const tau = (a: Agreement): string => kendallTau(a)?.toFixed(2) ?? '-';

function published(row: Row): string {
  const value = (x: number): string => String(Number(x.toFixed(4)));
  if (row.low === row.high) return row.low === Infinity ? 'overflown' : value(row.low);
  return row.high === Infinity ? `>${value(row.low)}` : `<${value(row.high)}`;
}

const weights = (w: FormulaWeights): string =>
  `${w.outOfRange.toFixed(1)}, ${w.nearOrder.toFixed(2)}, ${w.spread.toFixed(3)}`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const out = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  out.push(...rows.map((row) => [...row]));
  return out.toString();
}

const both = ({ probe, formula }: Both): string[] => [share(probe), share(formula)];

function summary(v: Validation): string[] {
  const found = (key: 'probe' | 'formula'): string => v.reach.map((r) => `${r[key]}x`).join(', ');
  const reaches = v.reach.map((r) => r.alpha).join(', ');
  const wanted = v.reach.map((r) => `${r.published}x`).join(', ');
  return [
    table(
      ['', 'probe', 'formulas', 'random'],
      [
        ['pairs, same factor', ...both(v.total.sameFactor), '50 %'],
        [
          '  leaving out one factor at a time',
          share(v.leftOut.probe.pairs),
          share(v.leftOut.formula.pairs),
          '50 %',
        ],
        ['pairs, any factor', ...both(v.total.anyFactor), '50 %'],
        ['loss change at 1x within a factor of two', ...both(v.changes), ''],
        [
          '  leaving out one factor at a time',
          share(v.leftOut.probe.changes),
          share(v.leftOut.formula.changes),
          '',
        ],
        ...(v.reach.length > 0
          ? [
              [
                `reach of static NTK alpha ${reaches} (${wanted})`,
                found('probe'),
                found('formula'),
                '',
              ],
            ]
          : []),
      ],
    ),
    '',
  ];
}

function models(v: Validation): string[] {
  return [
    `${v.rowsUsed} rows used, ${v.unused.length} not; ${v.samples.long} contexts of facts and ${v.samples.longText} of text a scaling`,
    ...v.models.map(
      (m) =>
        `  ${m.entries.join(', ')}: theta ${m.geometry.theta}, window ${m.geometry.window}, ${m.geometry.rotaryDim} dimensions, c ${m.criticalFraction.toFixed(2)}: probe model ${m.member}${m.inRange ? '' : ', outside the range of the family'}`,
    ),
    '',
  ];
}

function cells(v: Validation): string[] {
  if (v.cells.length === 0) return ['No pair of rows whose values clearly differ.', ''];
  const row = (c: Cell, kind: 'sameFactor' | 'anyFactor'): string[] => [
    c.length === null ? c.entry : `  at ${c.length}`,
    kind === 'sameFactor' ? 'same' : 'any',
    share(c[kind].probe),
    tau(c[kind].probe),
    share(c[kind].formula),
    tau(c[kind].formula),
  ];
  const kinds = ['sameFactor', 'anyFactor'] as const;
  const rows = v.cells.flatMap((c) =>
    kinds.flatMap((kind) => (c[kind].probe.total > 0 ? [row(c, kind)] : [])),
  );
  return [
    'Pairs whose published values clearly differ, and who orders them alike',
    table(['table', 'factor', 'probe', 'tau', 'formulas', 'tau'], rows),
    '',
  ];
}

function fitted(v: Validation): string[] {
  return [
    'The formula with its weights fitted to this file',
    table(
      ['', 'weights', 'same factor', 'left out', 'any factor', 'at 1x', 'left out'],
      v.formulas.variants.map((f) => [
        f.name,
        weights(f.weights),
        share(f.sameFactor),
        share(f.leftOut.pairs),
        share(f.anyFactor),
        share(f.changes),
        share(f.leftOut.changes),
      ]),
    ),
    'Weights: out of range, order of near tokens, spread.',
    '',
    `One nat of the probe stands for ${LOSS_SCALE} of LLaMA 7B; fitted to this file: ${v.lossScale.toFixed(2)}`,
    '',
    `The probe by weight of the facts' loss (same factor, any factor), on the ${v.byWeight[0]!.same.total} and ${v.byWeight[0]!.any.total} pairs whose facts were asked too`,
    `  ${v.byWeight.map((w) => `${w.weight}: ${w.same.agree}, ${w.any.agree}`).join('; ')}`,
    '',
  ];
}

function short(v: Validation): string[] {
  if (v.short.length === 0) return [];
  const rows = v.short.map((s) => [
    s.row.entry,
    s.row.length === s.row.geometry.window
      ? scalingName(s.row)
      : `${scalingName(s.row)} at ${s.row.length}`,
    `${s.bound ? '> ' : ''}${s.nats.toFixed(3)}`,
    ...[s.probe, s.formula].flatMap((x) => [x.toFixed(3), changeRatio(s, x)?.toFixed(2) ?? '-']),
  ]);
  return [
    'Loss change at 1x, nats',
    table(['table', 'scaling', 'published', 'probe', 'ratio', 'formulas', 'ratio'], rows),
    '',
  ];
}

function reach(v: Validation): string[] {
  if (v.reach.length === 0) return [];
  const against = (x: number, target: number): string =>
    `${x}x (${(100 * (x / target - 1)).toFixed(0)} %)`;
  return [
    'Reach, LLaMA 1 (2048 tokens)',
    table(
      ['static NTK', 'published', 'expected', 'probe, language', 'probe, facts', 'formulas'],
      v.reach.map((r) => [
        `alpha ${r.alpha}`,
        `${r.published}x`,
        `${r.expected.low.toFixed(2)} to ${r.expected.high.toFixed(2)}x`,
        against(r.probe, r.published),
        `${r.facts}x`,
        against(r.formula, r.published),
      ]),
    ),
    '',
  ];
}

function lists(v: Validation): string[] {
  const missed = v.missed.map(
    ({ a, b, sameFactor, missedBy }) =>
      `  ${a.entry} at ${a.length}: ${scalingName(a)} ${published(a)} v ${scalingName(b)} ${published(b)}: ${missedBy}${sameFactor ? '' : ' (factors differ)'}`,
  );
  const unused = groupedUnused(v.unused);
  return [
    ...(missed.length > 0 ? [`Pairs that somebody misses (${missed.length})`, ...missed, ''] : []),
    ...(unused.length > 0 ? [`Rows not used (${v.unused.length})`, ...unused, ''] : []),
  ];
}

/** Makes one line for all rows of a table that are not used for the same reason. */
function groupedUnused(unused: Validation['unused']): string[] {
  const groups = new Map<string, string[]>();
  for (const { entry, row, reason } of unused) {
    const key = `${entry}: ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups].map(([key, rows]) =>
    rows.length === 1 ? `  ${key} (${rows[0]})` : `  ${key} (${rows.length} rows: ${rows[0]}, …)`,
  );
}

/** Renders the validation as text. */
export function renderValidation(v: Validation): string {
  return [summary, models, cells, short, reach, fitted, lists]
    .flatMap((part) => part(v))
    .join('\n')
    .trimEnd();
}
