import type { Report } from '../schema/report.js';

/** What a gate made of a report, as far as a reader of the report needs it. */
export interface GateOutcome {
  readonly verdict: 'passed' | 'failed';
  readonly rules: readonly RuleOutcome[];
}

export interface RuleOutcome {
  /** The rule as the policy has it, e.g. `needle@131072 >= 0.8`. */
  readonly rule: string;
  readonly level: 'error' | 'warn';
  readonly status: 'passed' | 'failed' | 'unverifiable';
  readonly candidate: string;
  /** What was found, and what would be right. */
  readonly message: string;
}

export interface ReporterContext {
  /** ANSI colours; for terminals only. */
  readonly color: boolean;
  /** Width to print for, where the form has one. */
  readonly columns: number;
  /** Heatmaps and charts. */
  readonly plots: boolean;
  /** What a gate made of the report, where one ran. */
  readonly gate?: GateOutcome;
}

/** One output form: a pure function from a report to the text of a file. */
export type Reporter = (report: Report, context: ReporterContext) => string;

/** Markup that may stand in a page as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

type Value = string | number | Markup | readonly Markup[];

/**
 * A page template in which every value is escaped unless it is markup itself: names come from
 * configs that strangers wrote.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  const text = parts.map((part, i) => {
    const value = values[i];
    return value === undefined ? part : part + render(value);
  });
  return new Markup(text.join(''));
}

function render(value: Value): string {
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escapeMarkup(String(value));
  return value.map(({ text }) => text).join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
});

/** For text and for quoted attributes, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
