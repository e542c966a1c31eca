import Table from 'cli-table3';
import { kendallTau, type Agreement } from './agreement.js';
import type { Row } from './results.js';
import type { Validation } from './run.js';

const share = ({ agree, total }: Agreement): string =>
  total === 0 ? '-' : `${agree}/${total} (${((100 * agree) / total).toFixed(0)} %)`;

const tau = (a: Agreement): string => kendallTau(a)?.toFixed(2) ?? '-';

const name = (row: Row): string =>
  row.method === 'none' || row.method.startsWith('dynamic')
    ? row.method
    : `${row.method}:${row.factor}`;

const published = (row: Row): string =>
  row.high === Infinity ? `>${row.low}` : row.low === -Infinity ? `<${row.high}` : `${row.low}`;

const sum = (list: readonly Agreement[]): Agreement => ({
  agree: list.reduce((a, x) => a + x.agree, 0),
  total: list.reduce((a, x) => a + x.total, 0),
});

/** The validation as a person reads it. */
export function renderValidation(v: Validation): string {
  const out: string[] = [];
  const pairsTable = new Table({
    head: ['table', 'model', 'pairs', 'probe', 'tau', 'formulas, fitted', 'random'],
    style: { head: [], border: [] },
  });
  for (const kind of ['sameFactor', 'anyFactor'] as const) {
    const label = kind === 'sameFactor' ? 'same factor' : 'any factor';
    for (const t of v.tables)
      if (t.probe[kind].total > 0)
        pairsTable.push([
          t.entry,
          t.member,
          label,
          share(t.probe[kind]),
          tau(t.probe[kind]),
          share(t.formula[kind]),
          '50 %',
        ]);
    const [p, f] = [
      sum(v.tables.map((t) => t.probe[kind])),
      sum(v.tables.map((t) => t.formula[kind])),
    ];
    pairsTable.push(['all', '', label, share(p), tau(p), share(f), '50 %']);
  }
  out.push(
    'Pairs whose published values clearly differ, and who orders them alike',
    pairsTable.toString(),
  );
  out.push(
    `Leave one factor out, same factor: probe ${share(v.leaveOneOut.probe)}, formulas ${share(v.leaveOneOut.formula)}`,
    `Formula weights fitted on these tables: compression ${v.formulaWeights[0]}, negative sum ${v.formulaWeights[1]}`,
    `By weight of the facts' loss: ${v.byWeight.map((w) => `${w.weight}: ${w.agreement.agree}`).join(', ')}`,
    '',
  );
  if (v.short.length > 0) {
    const short = new Table({
      head: ['scaling', 'probe', 'published ln ratio', 'ratio'],
      style: { head: [], border: [] },
    });
    for (const s of v.short)
      short.push([
        name(s.row),
        s.probe.toFixed(3),
        `${s.bound ? '> ' : ''}${s.published.toFixed(3)}`,
        s.published > 0 ? (s.probe / s.published).toFixed(2) : '-',
      ]);
    out.push('Loss change at 1x, nats', short.toString(), '');
  }
  const reach = new Table({
    head: ['static NTK', 'probe reach', 'published', 'error'],
    style: { head: [], border: [] },
  });
  for (const r of v.reach)
    reach.push([
      `alpha ${r.alpha}`,
      `${r.probe}x`,
      `${r.published}x`,
      `${(100 * (r.probe / r.published - 1)).toFixed(0)} %`,
    ]);
  out.push('Reach, LLaMA 1 (2048 tokens)', reach.toString(), '');
  if (v.disagreements.length > 0) {
    out.push(`Disagreements (${v.disagreements.length})`);
    for (const { a, b, sameFactor } of v.disagreements)
      out.push(
        `  ${a.entry} at ${a.length}: ${name(a)} ${published(a)} v ${name(b)} ${published(b)}${sameFactor ? '' : ' (factors differ)'}`,
      );
    out.push('');
  }
  if (v.unused.length > 0) {
    out.push(`Rows not used (${v.unused.length})`);
    for (const u of v.unused) out.push(`  ${u.entry}: ${u.row}: ${u.reason}`);
    out.push('');
  }
  out.push(`${v.seconds.toFixed(0)} s`);
  return out.join('\n');
}
