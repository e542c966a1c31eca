import { z } from 'zod';
import { RopeEvalError } from '../errors.js';
import { CATALOGUE } from '../findings/index.js';
import { isRecord, parseConfig } from '../json/parse.js';
import { REFERENCE_KINDS } from '../model/types.js';
import { PRESET_NAMES } from '../probes/presets.js';
import { didYouMean } from '../suggest.js';
import { judge } from './interval.js';
import { METRICS } from './metrics.js';
import { parseRule, type Rule, type RuleLevel, sameSubject } from './rule.js';

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
/** Key in package.json. */
const POLICY_KEY = 'rope-eval';

/** A policy after reading: rules parsed, defaults filled in. */
export interface Policy extends Omit<PolicyFile, 'rules' | 'lint' | 'candidates'> {
  /** Where it comes from, for messages: a path, or `default`. */
  readonly source: string;
  readonly rules: readonly Rule[];
  readonly lint: Readonly<Record<string, RuleLevel>>;
  readonly candidates: readonly string[];
}

/** An untouched config passes these; a scaling that damages short contexts does not. */
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

/** Reads the key `rope-eval` of a package.json; undefined where there is none. */
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
    if (isBlanket(code, level)) throw policyError(source, BLANKET, `lint.${code}`, BLANKET_HINT);
    if (!CATALOGUE.has(code)) {
      const hint = '`rope-eval explain` lists the codes.';
      throw policyError(source, `no finding has the code ${code}`, `lint.${code}`, hint);
    }
  }
  return {
    ...rest,
    source,
    rules: rules.map(([level, text], index) => parseRule(text, level, { path: `rules[${index}]` })),
    lint,
    candidates: candidates ?? ['as-configured'],
  };
}

/** What is said beside the policy file; it wins. */
export interface PolicyOverrides {
  /** Texts of error rules. */
  readonly rules?: readonly string[];
  /** Texts of warn rules. */
  readonly warnings?: readonly string[];
  readonly candidates?: readonly string[];
  /** Severities of findings, `RE012=error`. */
  readonly severities?: readonly string[];
  /** Keys that may change although nothing judges them. */
  readonly allow?: readonly string[];
}

/** Adds rules; one on the same metric, length and candidate replaces. */
export function withOverrides(policy: Policy, flags: PolicyOverrides): Policy {
  const added = [
    ...(flags.rules ?? []).map((text) => parseRule(text, 'error', { option: 'rule' })),
    ...(flags.warnings ?? []).map((text) => parseRule(text, 'warn', { option: 'warn' })),
  ];
  const kept = policy.rules.filter((rule) => !added.some((each) => sameSubject(rule, each)));
  return {
    ...policy,
    rules: [...kept, ...added],
    candidates: flags.candidates ?? policy.candidates,
    lint: { ...policy.lint, ...parseSeverities(flags.severities ?? []) },
    allow: [...(policy.allow ?? []), ...(flags.allow ?? [])],
  };
}

/** `RE012=error`, several with commas. A code that nobody knows would silently do nothing. */
function parseSeverities(texts: readonly string[]): Record<string, RuleLevel> {
  const pairs = texts.flatMap((text) => text.split(',').map((part) => part.trim()));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name = '', level = ''] = /^(RE\d+)=(error|warn|off)$/i.exec(pair) ?? [];
      const code = name.toUpperCase();
      if (code === '') {
        throw severityError(`'${pair}' is not a severity`, 'Write RE012=error, =warn or =off.');
      }
      if (!CATALOGUE.has(code)) {
        const hint = '`rope-eval explain` lists the codes.';
        throw severityError(`no finding has the code ${code}`, hint);
      }
      const rated = level.toLowerCase() as RuleLevel;
      if (isBlanket(code, rated)) throw severityError(BLANKET, BLANKET_HINT);
      return [code, rated];
    }),
  );
}

/** Whether everything that nothing judges would pass, whatever it is. */
function isBlanket(code: string, level: RuleLevel): boolean {
  return level !== 'error' && code === NOT_JUDGED;
}

const NOT_JUDGED = 'RE085';
const BLANKET = `${NOT_JUDGED} cannot be turned down as a whole: it stands for whatever nothing judges`;
const BLANKET_HINT = 'Name the keys that may change in `allow`.';

/**
 * A gate that cannot close is no gate: it would say PASSED about every config.
 *
 * @param comparesCells whether a baseline is compared too, which can fail
 * @throws RopeEvalError `bad_policy`
 */
export function assertCanFail(policy: Policy, comparesCells: boolean): void {
  if (comparesCells || policy.rules.some((rule) => rule.level === 'error' && !isVoid(rule))) return;
  throw policyError(
    policy.source,
    'it has no rule that could fail: every value that can be measured satisfies it',
    'rules',
    'Add a rule of level error, such as "short.lossChange <= 0.05", or leave rules out for the default ones.',
  );
}

/** Whether every value that the metric can have satisfies the rule. */
function isVoid({ metric, operator, threshold }: Rule): boolean {
  const [low, high] = METRICS[metric].range;
  const value =
    typeof threshold === 'number'
      ? threshold
      : threshold.kind === 'tokens'
        ? threshold.tokens
        : undefined;
  return value !== undefined && judge({ value: low, low, high }, operator, value) === 'pass';
}

function severityError(problem: string, hint: string): RopeEvalError {
  return new RopeEvalError('bad_severity', { option: 'severity', problem, hint });
}
