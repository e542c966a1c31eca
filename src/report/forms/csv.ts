import { shortCostOnModels } from '../real-models.js';
import type { CandidateReport, Interval, Needle, Report } from '../schema/report.js';
import type { Reporter } from './form.js';

type Value = string | number | boolean | null | undefined;
type Column = (report: Report, candidate: CandidateReport, rung: Needle | undefined) => Value;

/** The three columns of a measured value. */
function interval(
  name: string,
  read: (candidate: CandidateReport, rung: Needle | undefined) => Interval | undefined,
): Readonly<Record<string, Column>> {
  return {
    [name]: (_, ...cell) => read(...cell)?.value,
    [`${name}_low`]: (_, ...cell) => read(...cell)?.low,
    [`${name}_high`]: (_, ...cell) => read(...cell)?.high,
  };
}

/** One row per candidate and length: the long format that spreadsheets and data frames expect. */
const COLUMNS: Readonly<Record<string, Column>> = Object.freeze({
  source: ({ config }) => config.source,
  model_type: ({ config }) => config.modelType,
  candidate: (_, { label }) => label,
  role: (_, { role }) => role,
  verdict: (_, { verdict }) => verdict,
  trained_window: ({ reference }) => reference.trainedWindow,
  target_tokens: ({ target }) => target.tokens,
  tokens: (_, __, rung) => rung?.tokens,
  multiple: (_, __, rung) => rung?.multiple,
  ...interval('accuracy', (_, rung) => rung?.accuracy),
  correct: (_, __, rung) => rung?.correct,
  total: (_, __, rung) => rung?.total,
  ...interval('loss_change', (_, rung) => rung?.lossChange),
  ...interval('short_accuracy_change', ({ short }) => short?.accuracyChange),
  ...interval('short_loss_change', ({ short }) => short?.lossChange),
  short_loss_on_models_low: (report, candidate) => shortCostOnModels(report, candidate)?.low,
  short_loss_on_models_high: (report, candidate) => shortCostOnModels(report, candidate)?.high,
  reach_tokens: (_, { reach }) => reach?.tokens,
  reach_multiple: (_, { reach }) => reach?.multiple,
  reach_low: (_, { reach }) => reach?.low,
  reach_high: (_, { reach }) => reach?.high,
  reach_censored: (_, { reach }) => reach?.censored,
  ...interval('lost_at_target', ({ parts }) => parts?.total),
  ...interval('lost_to_rope', ({ parts }) => parts?.rope),
  ...interval('lost_to_dilution', ({ parts }) => parts?.dilution),
  chance: ({ chance }) => chance,
  preset: ({ settings }) => settings.preset,
  seed: ({ settings }) => settings.seed,
  probe_model: ({ subject }) => subject.name,
  status: ({ status }) => status,
});

/** Writes RFC 4180: commas, CRLF, doubled quotes. Empty = not measured. */
export const csv: Reporter = (report) => {
  const rows = report.candidates.flatMap((candidate) => {
    // A candidate without a finished length still has its short-context results.
    const rungs = candidate.needle.length > 0 ? candidate.needle : [undefined];
    return rungs.map((rung) =>
      Object.values(COLUMNS).map((column) => field(column(report, candidate, rung))),
    );
  });
  return [Object.keys(COLUMNS), ...rows].map((row) => `${row.join(',')}\r\n`).join('');
};

function field(value: Value): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  // Protects against text that a spreadsheet would run as a formula (OWASP, "CSV injection"), even
  // after spaces and in the full-width characters that East Asian versions accept.
  const safe = /^\s*[=+\-@＝＋－＠\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
