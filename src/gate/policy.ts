import { z } from 'zod';
import { type ErrorPlace, RopeEvalError } from '../errors.js';
import { CATALOGUE } from '../findings/index.js';
import { defined, isRecord, parseConfig } from '../json/parse.js';
import { REFERENCE_KINDS } from '../model/types.js';
import { PRESET_NAMES } from '../probes/presets.js';
import { didYouMean } from '../text.js';
import { judge, type Operator } from './cells.js';
import { isMetricName, type MetricName, METRICS } from './metrics.js';

const LEVEL = z.enum(['error', 'warn', 'off']);

/** `rope-eval.config.json`, or the key `rope-eval` of package.json. */
export const PolicySchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: the JSON Schema of this file.'),
    rules: z
      .array(
        z.tuple([
          LEVEL.describe('error fails the gate, warn is printed, off is not judged.'),
          z
            .string()
            .describe(
              "'[candidate: ]metric[@length] operator number': 'needle@131072 >= 0.8', 'yarn:4: reach >= 128k'. Lengths: 131072, 128k, 4x, target.",
            ),
        ]),
      )
      .optional()
      .describe('What must hold. Replaces the default rules.'),
    lint: z
      .record(z.string().regex(/^RE\d+$/), LEVEL)
      .optional()
      .describe('Severity per finding code, for example {"RE012": "error"}.'),
    allow: z
      .array(z.string().min(1))
      .optional()
      .describe(
        'Keys of a config that may change although nothing judges them, such as quantization_config; one covers what lies below it.',
      ),
    candidates: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("What is gated. Default: 'as-configured', what the config says."),
    target: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('Length in tokens. Default: the largest that the config claims.'),
    preset: z.enum(PRESET_NAMES).optional(),
    seed: z.number().int().nonnegative().optional(),
    samples: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('Long contexts; the cheaper probes get more.'),
    reference: z.enum(REFERENCE_KINDS).optional(),
    trainedWindow: z.number().int().positive().optional(),
    baseline: z.string().optional().describe('A saved report; its path is relative to this file.'),
  })
  .meta({
    title: 'rope-eval gate policy',
    description: 'What a model config must keep before a change of its context length may merge.',
  });

export type PolicyFile = z.infer<typeof PolicySchema>;

/** The JSON Schema that editors read; shipped as schemas/policy.schema.json. */
export function policyJsonSchema(): unknown {
  return z.toJSONSchema(PolicySchema);
}

export const POLICY_FILE = 'rope-eval.config.json';
const POLICY_KEY = 'rope-eval';

/** A policy after reading, with its rules parsed and the defaults filled in. */
export interface Policy extends Omit<PolicyFile, 'rules' | 'lint' | 'candidates'> {
  /** Where the policy comes from, for messages: a path, or `default`. */
  readonly source: string;
  readonly rules: readonly Rule[];
  readonly lint: Readonly<Record<string, RuleLevel>>;
  readonly candidates: readonly string[];
}

/** The rules of a policy that names none. An unchanged config passes them. */
const DEFAULT_RULES = Object.freeze([
  ['error', 'needle@target >= 0.8'],
  ['error', 'short.accuracyChange >= -0.02'],
  ['error', 'short.lossChange <= 0.05'],
  ['warn', 'reach >= target'],
] as const);

export function defaultPolicy(): Policy {
  return toPolicy({}, 'default');
}

/**
 * Reads `rope-eval.config.json`.
 *
 * @param source path of the file, for messages
 */
export function parsePolicy(text: string, source: string): Policy {
  return checkPolicy(parseConfig(text, { source }), source);
}

/** Reads the key `rope-eval` of a package.json; undefined if there is none. */
export function parsePackagePolicy(text: string, source: string): Policy | undefined {
  const manifest = parseConfig(text, { source });
  if (!Object.hasOwn(manifest, POLICY_KEY)) return undefined;
  return checkPolicy(manifest[POLICY_KEY], `${source} (key ${POLICY_KEY})`);
}

function checkPolicy(value: unknown, source: string): Policy {
  if (isRecord(value)) {
    const known = Object.keys(PolicySchema.shape);
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined) {
      throw policyError(
        source,
        `unknown key '${unknown}'${didYouMean(unknown, known)}`,
        unknown,
        `Keys: ${known.join(', ')}.`,
      );
    }
  }
  const parsed = PolicySchema.safeParse(value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw policyError(source, z.prettifyError(parsed.error), path, '');
  }
  return toPolicy(parsed.data, source);
}

function policyError(source: string, problem: string, path: string, hint: string): RopeEvalError {
  return new RopeEvalError('bad_policy', { file: source, path, problem, hint });
}

function toPolicy(file: PolicyFile, source: string): Policy {
  const { rules = DEFAULT_RULES, lint = {}, candidates, ...rest } = file;
  for (const [code, level] of Object.entries(lint)) {
    const wrong = severityDefect(code, level);
    if (wrong) throw policyError(source, wrong.problem, `lint.${code}`, wrong.hint);
  }
  assertNames(rest.allow ?? [], { file: source, path: 'allow' });
  return {
    ...rest,
    source,
    rules: rules.map(([level, text], index) => parseRule(text, level, { path: `rules[${index}]` })),
    lint,
    candidates: candidates ?? ['as-configured'],
  };
}

/** Refuses patterns in `allow`: one would be read as the name of a key that no config has. */
function assertNames(allow: readonly string[], place: ErrorPlace): void {
  const pattern = allow.find((name) => /[*?]/.test(name));
  if (pattern === undefined) return;
  throw new RopeEvalError('bad_policy', {
    ...place,
    problem: `'${pattern}' is a pattern, and keys are allowed by name`,
    hint: 'Name each key; one covers what lies below it: quantization_config.',
  });
}

/** What options add to a policy file. They win over the file. */
export interface PolicyOverrides {
  /** Texts of error rules. */
  readonly rules?: readonly string[];
  /** Texts of warn rules. */
  readonly warnings?: readonly string[];
  readonly candidates?: readonly string[];
  /** Severities of findings, such as `RE012=error`. */
  readonly severities?: readonly string[];
  /** Keys that may change although nothing judges them. */
  readonly allow?: readonly string[];
}

/** Applies options. An added rule replaces one on the same metric, length and candidate. */
export function withOverrides(policy: Policy, flags: PolicyOverrides): Policy {
  const added = [
    ...(flags.rules ?? []).map((text) => parseRule(text, 'error', { option: 'rule' })),
    ...(flags.warnings ?? []).map((text) => parseRule(text, 'warn', { option: 'warn' })),
  ];
  assertNames(flags.allow ?? [], { option: 'allow' });
  const kept = policy.rules.filter((rule) => !added.some((each) => sameSubject(rule, each)));
  return {
    ...policy,
    rules: [...kept, ...added],
    candidates: flags.candidates ?? policy.candidates,
    lint: { ...policy.lint, ...parseSeverities(flags.severities ?? []) },
    allow: [...(policy.allow ?? []), ...(flags.allow ?? [])],
  };
}

/** Reads `RE012=error,…`. An unknown code is refused, because it would silently do nothing. */
function parseSeverities(texts: readonly string[]): Record<string, RuleLevel> {
  const pairs = texts.flatMap((text) => text.split(',').map((part) => part.trim()));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name = '', rated = ''] = /^(RE\d+)=(error|warn|off)$/i.exec(pair) ?? [];
      const [code, level] = [name.toUpperCase(), rated.toLowerCase() as RuleLevel];
      const wrong =
        code === ''
          ? { problem: `'${pair}' is not a severity`, hint: 'Write RE012=error, =warn or =off.' }
          : severityDefect(code, level);
      if (wrong) throw new RopeEvalError('bad_severity', { option: 'severity', ...wrong });
      return [code, level];
    }),
  );
}

const NOT_JUDGED = 'RE085';

/** Says what is wrong with the severity of a finding; undefined = nothing. */
function severityDefect(code: string, level: RuleLevel) {
  if (level !== 'error' && code === NOT_JUDGED) {
    return {
      problem: `${NOT_JUDGED} cannot be turned down as a whole: it stands for whatever nothing judges`,
      hint: 'Name the keys that may change in `allow`.',
    };
  }
  if (CATALOGUE.has(code)) return undefined;
  return {
    problem: `no finding has the code ${code}`,
    hint: '`rope-eval explain` lists the codes.',
  };
}

/**
 * Refuses a policy that cannot fail, because it would print PASSED for every config.
 *
 * @throws RopeEvalError `bad_policy`
 */
export function assertCanFail(policy: Policy): void {
  const judges = (rule: Rule): boolean =>
    rule.level === 'error' && !isVoid(rule) && !isAboutNothing(rule, policy);
  if (policy.rules.some(judges)) return;
  throw policyError(
    policy.source,
    'it has no rule that could fail: every value that can be measured satisfies it',
    'rules',
    'Add a rule of level error, such as "short.lossChange <= 0.05", or leave rules out for the default ones.',
  );
}

/** Whether a rule is only about the unscaled config, so that no change of scaling can fail it. */
function isAboutNothing({ candidate }: Rule, { candidates }: Policy): boolean {
  const about = candidate === undefined ? candidates : [candidate];
  return about.every((each) => each === 'none');
}

/** Whether every value that the metric can have satisfies the rule. */
function isVoid({ metric, operator, threshold }: Rule): boolean {
  const [low, high] = METRICS[metric].range;
  if (typeof threshold !== 'number' && threshold.kind !== 'tokens') return false;
  const value = typeof threshold === 'number' ? threshold : threshold.tokens;
  return judge({ value: low, low, high }, operator, value) === 'pass';
}

/** A length as a policy writes it: tokens, a multiple of the trained window, or the target. */
export type Length =
  | { readonly kind: 'tokens'; readonly tokens: number }
  | { readonly kind: 'multiple'; readonly multiple: number }
  | { readonly kind: 'target' };

export interface LengthContext {
  /** Tokens. */
  readonly trainedWindow: number;
  /** Tokens: the target of the gate. */
  readonly target: number;
}

/** Matches `131072`, `128k` (k = 1024), `4x` and `target`. */
const RE_LENGTH = /^(?:(?<target>target)|(?<number>\d+(?:\.\d+)?)(?<unit>k|x)?)$/;

/** Parses a length of a policy. @throws RopeEvalError `bad_length` */
function parseLength(text: string, place: ErrorPlace): Length {
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

export function lengthInTokens(length: Length, context: LengthContext): number {
  if (length.kind === 'tokens') return length.tokens;
  if (length.kind === 'target') return context.target;
  return Math.round(length.multiple * context.trainedWindow);
}

/** Writes a length as it stands in a policy. */
function formatLength(length: Length): string {
  if (length.kind === 'tokens') return String(length.tokens);
  return length.kind === 'target' ? 'target' : `${length.multiple}x`;
}

export type RuleLevel = z.infer<typeof LEVEL>;

/** One line of a policy: what must hold, for which candidate, and how severe a failure is. */
export interface Rule {
  readonly level: RuleLevel;
  readonly metric: MetricName;
  readonly at?: Length;
  readonly operator: Operator;
  readonly threshold: number | Length;
  /** Label of the candidate; absent = every candidate that the gate judges. */
  readonly candidate?: string;
}

/** `[candidate: ]metric[@length] operator threshold`; a colon and a space end a candidate. */
const RE_RULE =
  /^(?:(?<candidate>\S+):\s+)?(?<metric>[A-Za-z][\w.]*)(?:@(?<at>[\w.]+))?\s*(?<operator>>=|<=|>|<)\s*(?<threshold>\S+)$/;
const RE_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Parses a rule, such as `needle@131072 >= 0.8`, `yarn:4: short.accuracyChange >= -0.02` or
 * `reach >= 128k`.
 *
 * @param place where the text stands, for errors
 * @throws RopeEvalError `bad_rule` or `bad_length`
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
  const { at, candidate } = groups;
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
  return defined({
    level,
    metric,
    at: at === undefined ? undefined : parseLength(at, place),
    operator: groups['operator'] as Operator,
    threshold: thresholdOf(groups['threshold'] ?? '', metric, place),
    candidate,
  });
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

/** Writes a rule as it stands in a policy. */
export function formatRule({ candidate, metric, at, operator, threshold }: Rule): string {
  const of = candidate === undefined ? '' : `${candidate}: `;
  const where = at === undefined ? '' : `@${formatLength(at)}`;
  const limit = typeof threshold === 'number' ? String(threshold) : formatLength(threshold);
  return `${of}${metric}${where} ${operator} ${limit}`;
}

/** Whether two rules are about the same thing, so that the later one replaces the earlier one. */
function sameSubject(a: Rule, b: Rule): boolean {
  const at = (rule: Rule): string => (rule.at === undefined ? '' : formatLength(rule.at));
  return a.metric === b.metric && a.candidate === b.candidate && at(a) === at(b);
}

/** The lengths, in tokens, that must be measured before a rule can be judged. */
export function lengthsOf(rule: Rule, context: LengthContext): readonly number[] {
  const lengths: number[] = [];
  if (rule.at && METRICS[rule.metric].length === 'required') {
    lengths.push(lengthInTokens(rule.at, context));
  }
  if (typeof rule.threshold !== 'number') lengths.push(lengthInTokens(rule.threshold, context));
  return lengths;
}
