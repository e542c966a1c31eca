import { shortCostOnModels } from '../real-models.js';
import type { CandidateReport, Needle, Report } from '../schema/report.js';
import type { Reporter } from './form.js';

type Value = string | number | boolean | null | undefined;

/** One row per candidate and length: the long format that spreadsheets and data frames expect. */
const COLUMNS: Readonly<
  Record<string, (report: Report, candidate: CandidateReport, rung: Needle | undefined) => Value>
> = Object.freeze({
  source: ({ config }) => config.source,
  model_type: ({ config }) => config.modelType,
  candidate: (_, { label }) => label,
  role: (_, { role }) => role,
  verdict: (_, { verdict }) => verdict,
  trained_window: ({ reference }) => reference.trainedWindow,
  target_tokens: ({ target }) => target.tokens,
  tokens: (_, __, rung) => rung?.tokens,
  multiple: (_, __, rung) => rung?.multiple,
  accuracy: (_, __, rung) => rung?.accuracy.value,
  accuracy_low: (_, __, rung) => rung?.accuracy.low,
  accuracy_high: (_, __, rung) => rung?.accuracy.high,
  correct: (_, __, rung) => rung?.correct,
  total: (_, __, rung) => rung?.total,
  loss_change: (_, __, rung) => rung?.lossChange.value,
  loss_change_low: (_, __, rung) => rung?.lossChange.low,
  loss_change_high: (_, __, rung) => rung?.lossChange.high,
  short_accuracy_change: (_, { short }) => short?.accuracyChange.value,
  short_accuracy_change_low: (_, { short }) => short?.accuracyChange.low,
  short_accuracy_change_high: (_, { short }) => short?.accuracyChange.high,
  short_loss_change: (_, { short }) => short?.lossChange.value,
  short_loss_change_low: (_, { short }) => short?.lossChange.low,
  short_loss_change_high: (_, { short }) => short?.lossChange.high,
  short_loss_on_models_low: (report, candidate) => shortCostOnModels(report, candidate)?.low,
  short_loss_on_models_high: (report, candidate) => shortCostOnModels(report, candidate)?.high,
  reach_tokens: (_, { reach }) => reach?.tokens,
  reach_multiple: (_, { reach }) => reach?.multiple,
  reach_low: (_, { reach }) => reach?.low,
  reach_high: (_, { reach }) => reach?.high,
  reach_censored: (_, { reach }) => reach?.censored,
  lost_at_target: (_, { parts }) => parts?.total.value,
  lost_at_target_low: (_, { parts }) => parts?.total.low,
  lost_at_target_high: (_, { parts }) => parts?.total.high,
  lost_to_rope: (_, { parts }) => parts?.rope.value,
  lost_to_rope_low: (_, { parts }) => parts?.rope.low,
  lost_to_rope_high: (_, { parts }) => parts?.rope.high,
  lost_to_dilution: (_, { parts }) => parts?.dilution.value,
  lost_to_dilution_low: (_, { parts }) => parts?.dilution.low,
  lost_to_dilution_high: (_, { parts }) => parts?.dilution.high,
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
