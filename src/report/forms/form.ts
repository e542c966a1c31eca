import type { Report } from '../schema/report.js';
import type { TextContext } from '../terminal.js';

/** The result of a gate, as far as readers of the report need it. */
export interface GateOutcome {
  readonly verdict: 'passed' | 'failed';
  readonly rules: readonly RuleOutcome[];
}

/** The result of one rule. */
export interface RuleOutcome {
  /** The rule as the policy writes it, e.g. `needle@131072 >= 0.8`. */
  readonly rule: string;
  readonly level: 'error' | 'warn';
  readonly status: 'passed' | 'failed' | 'unverifiable';
  readonly candidate: string;
  readonly message: string;
}

/** How a form is drawn. */
export interface ReporterContext extends TextContext {
  readonly gate?: GateOutcome;
}

/** One output form: a pure function from a report to the text of a file. */
export type Reporter = (report: Report, context: ReporterContext) => string;

/** Markup that can be inserted into a page unchanged. */
export class Markup {
  constructor(readonly text: string) {}
}

type Value = string | number | Markup | readonly Markup[];

/** A page template. It escapes all values but markup, because strangers wrote the names. */
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

/** Escapes text for content and quoted attributes, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
