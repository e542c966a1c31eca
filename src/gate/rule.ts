import { type ErrorPlace, RopeEvalError } from '../errors.js';
import { didYouMean } from '../suggest.js';
import type { Operator } from './interval.js';
import { isMetricName, type MetricName, METRICS } from './metrics.js';

/** A length as a policy writes it: tokens, a multiple of the trained window, or the target. */
export type Length =
  | { readonly kind: 'tokens'; readonly tokens: number }
  | { readonly kind: 'multiple'; readonly multiple: number }
  | { readonly kind: 'target' };

/** What a length is resolved against. */
export interface LengthContext {
  /** Tokens. */
  readonly trainedWindow: number;
  /** Tokens: the length that the gate is asked about. */
  readonly target: number;
}

/** `131072`, `128k` (k = 1024), `4x`, `target`. */
const RE_LENGTH = /^(?:(?<target>target)|(?<number>\d+(?:\.\d+)?)(?<unit>k|x)?)$/;

export function parseLength(text: string, place: ErrorPlace): Length {
  const groups = RE_LENGTH.exec(text)?.groups;
  if (!groups) {
    throw new RopeEvalError('bad_length', {
      ...place,
      problem: `'${text}' is not a length`,
      hint: 'Write tokens (131072), thousands of 1024 (128k), a multiple of the trained window (4x), or target.',
    });
  }
  if (groups['target']) return { kind: 'target' };
  const value = Number(groups['number']);
  if (value <= 0) {
    throw new RopeEvalError('bad_length', {
      ...place,
      problem: `length '${text}' must be above 0`,
    });
  }
  if (groups['unit'] === 'x') return { kind: 'multiple', multiple: value };
  return { kind: 'tokens', tokens: Math.round(groups['unit'] === 'k' ? value * 1024 : value) };
}

/** The length in tokens. */
export function lengthInTokens(length: Length, context: LengthContext): number {
  if (length.kind === 'tokens') return length.tokens;
  if (length.kind === 'target') return context.target;
  return Math.round(length.multiple * context.trainedWindow);
}

export function formatLength(length: Length): string {
  if (length.kind === 'tokens') return String(length.tokens);
  return length.kind === 'target' ? 'target' : `${length.multiple}x`;
}

export type RuleLevel = 'error' | 'warn' | 'off';

/** One line of a policy: what must hold, for whom, and how bad it is if it does not. */
export interface Rule {
  readonly level: RuleLevel;
  readonly metric: MetricName;
  readonly at?: Length;
  readonly operator: Operator;
  readonly threshold: number | Length;
  /** Label of the candidate; absent = every candidate that the gate evaluates. */
  readonly candidate?: string;
}

/** `[candidate: ]metric[@length] operator threshold`; the colon before a space ends a candidate. */
const RE_RULE =
  /^(?:(?<candidate>\S+):\s+)?(?<metric>[A-Za-z][\w.]*)(?:@(?<at>[\w.]+))?\s*(?<operator>>=|<=|>|<)\s*(?<threshold>\S+)$/;
const RE_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads `needle@131072 >= 0.8`, `yarn:4: short.accuracyChange >= -0.02`, `reach >= 128k`.
 *
 * @param place where the text stands, for errors
 */
export function parseRule(text: string, level: RuleLevel, place: ErrorPlace): Rule {
  const groups = RE_RULE.exec(text.trim())?.groups;
  if (!groups) {
    throw new RopeEvalError('bad_rule', {
      ...place,
      problem: `rule '${text}' cannot be read`,
      hint: "Write '[candidate: ]metric[@length] >= number', for example 'needle@131072 >= 0.8' or 'yarn:4: reach >= 128k'.",
    });
  }
  const metric = metricOf(groups['metric'] ?? '', place);
  const definition = METRICS[metric];
  const at = groups['at'];
  if (definition.length === 'required' && at === undefined) {
    throw new RopeEvalError('bad_rule', {
      ...place,
      problem: `${metric} needs a length`,
      hint: `Write '${metric}@131072', '${metric}@4x' or '${metric}@target'.`,
    });
  }
  if (definition.length === 'none' && at !== undefined) {
    throw new RopeEvalError('bad_rule', {
      ...place,
      problem: `${metric} takes no length, found '@${at}'`,
      hint: `Write '${metric}' alone.`,
    });
  }
  return {
    level,
    metric,
    ...(at === undefined ? {} : { at: parseLength(at, place) }),
    operator: groups['operator'] as Operator,
    threshold: thresholdOf(groups['threshold'] ?? '', metric, place),
    ...(groups['candidate'] === undefined ? {} : { candidate: groups['candidate'] }),
  };
}

function metricOf(name: string, place: ErrorPlace): MetricName {
  if (isMetricName(name)) return name;
  const names = Object.keys(METRICS);
  throw new RopeEvalError('unknown_metric', {
    ...place,
    problem: `unknown metric '${name}'${didYouMean(name, names)}`,
    hint: `Metrics: ${names.join(', ')}.`,
  });
}

function thresholdOf(text: string, metric: MetricName, place: ErrorPlace): number | Length {
  if (METRICS[metric].thresholdIsLength) return parseLength(text, place);
  if (!RE_NUMBER.test(text)) {
    throw new RopeEvalError('bad_rule', {
      ...place,
      problem: `threshold of ${metric} must be a number, found '${text}'`,
    });
  }
  return Number(text);
}

/** The rule as a policy would write it. */
export function formatRule(rule: Omit<Rule, 'level'>): string {
  const candidate = rule.candidate === undefined ? '' : `${rule.candidate}: `;
  const at = rule.at === undefined ? '' : `@${formatLength(rule.at)}`;
  const threshold =
    typeof rule.threshold === 'number' ? String(rule.threshold) : formatLength(rule.threshold);
  return `${candidate}${rule.metric}${at} ${rule.operator} ${threshold}`;
}

/** Two rules about the same thing: the later one replaces the earlier. */
export function sameSubject(a: Rule, b: Rule): boolean {
  const at = (rule: Rule): string => (rule.at === undefined ? '' : formatLength(rule.at));
  return a.metric === b.metric && a.candidate === b.candidate && at(a) === at(b);
}

/** Lengths, in tokens, that must be measured before this rule can be judged. */
export function lengthsOf(rule: Rule, context: LengthContext): readonly number[] {
  const lengths: number[] = [];
  if (rule.at && METRICS[rule.metric].length === 'required') {
    lengths.push(lengthInTokens(rule.at, context));
  }
  if (typeof rule.threshold !== 'number') lengths.push(lengthInTokens(rule.threshold, context));
  return lengths;
}
