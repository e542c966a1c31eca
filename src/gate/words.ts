import { inWords, option, type OptionNames, PROGRAM_NAMES, type Words, words } from '../errors.js';
import { wordFinding } from '../findings/index.js';
import { CONTEXTS_PER_SAMPLE, PRESETS } from '../probes/presets.js';
import { list, tokens, trim } from '../report/format.js';
import type { GateOutcome, RuleOutcome } from '../report/forms/form.js';
import type { Interval, Report } from '../report/schema/report.js';
import type { BaselineResult } from './baseline.js';
import type { CellPair } from './cells.js';
import { culpritOf } from './differences.js';
import type { GateResult, GateStatus, JudgedFinding, RuleResult } from './judge.js';
import { METRICS, type RopeSetting } from './metrics.js';

type Change = Pick<CellPair, 'before' | 'after' | 'change'>;

/** `0.93 before, 0.71 now, change −0.22 (−0.3 to −0.14)` */
export function cellMessage({ before, after, change }: Change): string {
  return `${trim(before.value, 4)} before, ${trim(after.value, 4)} now, change ${intervalWords(change)}`;
}

/** `+0.02 (+0.01 to +0.03)` */
export function intervalWords({ value: middle, low, high }: Interval): string {
  return `${plus(middle)} (${plus(low)} to ${plus(high)})`;
}

function plus(number: number): string {
  return `${number > 0 ? '+' : ''}${trim(number, 4)}`;
}

/** Says what is missing, in one message for each candidate that was dropped. */
export function missingByCandidate({ missing, source }: BaselineResult): readonly {
  readonly candidate: string;
  readonly message: string;
}[] {
  const cells = new Map<string, string[]>();
  for (const { candidate, cell } of missing) {
    cells.set(candidate, [...(cells.get(candidate) ?? []), cell]);
  }
  return [...cells].map(([candidate, names]) => ({
    candidate,
    message: `${source} has ${list(names)} of ${candidate}, this run has not`,
  }));
}

/** Summarizes a comparison with a baseline and says how it was made. */
export function baselineWords(result: BaselineResult): string {
  const count = (outcome: 'improved' | 'within-noise' | 'same'): number =>
    result.cells.filter((cell) => cell.outcome === outcome).length;
  const parts = [
    `${result.regressed} regressed`,
    `${count('improved')} improved`,
    `${count('within-noise')} changed within their intervals`,
    `${count('same')} the same`,
  ];
  const counts = `Against ${result.source}: ${list(parts)}, of ${result.cells.length} cells.`;
  return `${counts} ${methodWords(result.cells)}`.trimEnd();
}

/** Says how the intervals of the changes were computed. */
export function methodWords(cells: readonly Pick<CellPair, 'method'>[]): string {
  if (cells.length === 0) return '';
  const wide = cells.filter((cell) => cell.method === 'intervals').length;
  if (wide === 0) return 'Compared in pairs of contexts.';
  const which = wide === cells.length ? 'Compared' : `${wide} of them compared`;
  return (
    `${which} by the saved intervals alone, which lets small changes pass; a comparison in pairs takes ` +
    'reports of the same 6 contexts or more.'
  );
}

/** The words for a gate's status; the result itself holds only data. */

const STATUS_WORDS: Readonly<Record<GateStatus, string>> = Object.freeze({
  passed: 'PASSED',
  failed: 'FAILED',
  unverifiable: 'UNVERIFIABLE, which fails',
  'nothing-measured': 'FAILED: nothing was measured',
  interrupted: 'INTERRUPTED',
  'runtime-failed': 'RUNTIME FAILED before the end',
});

/** The last line of the output: the status, and how many rules it rests on. */
export function verdictLine(result: GateResult): string {
  const count = (level: 'error' | 'warn', outcome: RuleResult['outcome']): number =>
    result.rules.filter((rule) => rule.level === level && rule.outcome === outcome).length;
  const findings = (level: JudgedFinding['level']): number =>
    result.findings.filter((finding) => finding.level === level).length;
  const parts = [
    unlessNone(count('error', 'fail'), 'rule failed', 'rules failed'),
    unlessNone(count('error', 'unverifiable'), 'could not be verified'),
    unlessNone(findings('error'), 'finding of severity error', 'findings of severity error'),
    unlessNone(result.baseline?.regressed ?? 0, 'cell regressed', 'cells regressed'),
    unlessNone(
      count('warn', 'fail') + count('warn', 'unverifiable') + findings('warn'),
      'warning',
      'warnings',
    ),
    unlessNone(result.rules.filter((rule) => rule.outcome === 'pass').length, 'passed'),
  ].filter((part) => part !== '');
  return `${STATUS_WORDS[result.status]}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}

function unlessNone(count: number, one: string, many = one): string {
  return count === 0 ? '' : `${count} ${count === 1 ? one : many}`;
}

/** Says what was expected and found; of an undecided rule also why, and what would decide it. */
export function ruleMessage(result: RuleResult, names: OptionNames = PROGRAM_NAMES): string {
  const expected = `expected ${result.operator} ${value(result, result.threshold)}`;
  if (result.reason === 'local-only') {
    if (result.outcome !== 'pass')
      return `${expected}, not measured: ${LOCAL_ONLY}, since the change`;
    return `${LOCAL_ONLY}, so that a longer context brings no new distances`;
  }
  if (!result.found) return `${expected}, not measured: ${missingWords(result)}`;
  const range = rangeWords(result, result.found);
  const interval = range === '' ? '' : `, 95 % interval ${range}`;
  const found = `${expected}, found ${value(result, result.found.value)}${interval}`;
  if (result.reason === 'unchanged') return `${found}: ${UNCHANGED}`;
  if (result.outcome !== 'unverifiable') return found;
  return `${found}: ${inWords(undecidedWords(result), names)}`;
}

/** `0.419 to 0.467`; '' for an exact value. */
function rangeWords(result: RuleResult, { low, high }: Interval): string {
  return low === high ? '' : `${bare(result, low)} to ${bare(result, high)}`;
}

/** Why a value that was found decides nothing. */
const DOUBTS: Readonly<Partial<Record<NonNullable<RuleResult['reason']>, string>>> = Object.freeze({
  'no-facts':
    'without any scaling the model knows so little there that losing all of it would pass too',
  'one-context': 'one context has no interval',
});

export const UNCHANGED = 'as in the base config, which the change leaves alone here';

function missingWords(result: RuleResult): string {
  if (result.reason === 'unchanged') return UNCHANGED;
  if (result.reason === 'no-facts') {
    return 'without any scaling the model finds no facts within its trained window, so that none can be lost';
  }
  if (result.reason === 'no-candidate') {
    return `no candidate ${result.candidate} in this run (add it to the policy's candidates)`;
  }
  return result.at === undefined
    ? 'this run has no such cell'
    : METRICS[result.metric].kind === 'cost'
      ? 'the config says too little'
      : `the ladder has no rung at ${tokens(result.at)} tokens`;
}

const LOCAL_ONLY = 'no layer that rotates looks farther than its window';

function undecidedWords(result: RuleResult): Words {
  if (result.reason === 'ambiguous-reference') {
    return words`the linear block names no original window, so the weights may have been trained with it, and then nothing is lost; say which (${option('reference')}), or compare with the config before the change (${option('base')})`;
  }
  const doubt = result.reason && DOUBTS[result.reason];
  if (doubt !== undefined) return doubt;
  if (result.reason === 'ladder-ended') {
    return words`it still holds where the ladder ends, and nothing longer was measured (raise ${option('target')})`;
  }
  if (result.samplesToDecide) {
    return `the interval straddles the threshold; about ${result.samplesToDecide} samples would decide`;
  }
  return 'the interval straddles the threshold, and the value is so close to it that more samples would hardly decide';
}

/** Formats a value in the metric's unit. */
function value(result: RuleResult, number: number): string {
  const { unit } = METRICS[result.metric];
  return unit === 'share' ? bare(result, number) : `${bare(result, number)} ${unit}`;
}

function bare(result: RuleResult, number: number): string {
  return METRICS[result.metric].thresholdIsLength ? tokens(number) : trim(number, 4);
}

/** Names what a rule is about: `needle@131072 >= 0.8 for yarn:4 (sliding_attention)`. */
export function ruleSubject(result: RuleResult): string {
  return `${result.rule} for ${result.candidate}${layersOf(result)}`;
}

function layersOf({ part }: RuleResult): string {
  return part === undefined ? '' : ` (${part} layers)`;
}

/**
 * Words a rule on one line, after its subject: `found 0.444 nats (0.419 to 0.467)`. Where only one
 * candidate is judged, its name says nothing.
 */
export function ruleBrief(result: RuleResult, candidates: readonly string[]): string {
  const isAlone = candidates.length === 1;
  const subject = isAlone ? `${result.rule}${layersOf(result)}` : ruleSubject(result);
  if (result.reason === 'local-only') return `${subject}: not measured, ${LOCAL_ONLY}`;
  if (!result.found) return `${subject}: not measured, ${missingWords(result)}`;
  const range = rangeWords(result, result.found);
  const interval = range === '' ? '' : ` (${range})`;
  const doubt = result.reason && DOUBTS[result.reason];
  const why = doubt === undefined ? '' : `, but ${doubt}`;
  return `${subject}: found ${value(result, result.found.value)}${interval}${why}`;
}

/** Converts a gate's result to what the output forms show. */
export function gateOutcome(result: GateResult, names: OptionNames = PROGRAM_NAMES): GateOutcome {
  const statuses = { pass: 'passed', fail: 'failed', unverifiable: 'unverifiable' } as const;
  const rules = result.rules.map((rule): RuleOutcome => {
    const { level, outcome, candidate } = rule;
    return {
      rule: rule.rule,
      level,
      status: statuses[outcome],
      candidate: rule.part === undefined ? candidate : `${candidate} (${rule.part})`,
      message: ruleMessage(rule, names),
    };
  });
  return {
    verdict: result.exitCode === 0 ? 'passed' : 'failed',
    rules: [
      ...endOutcome(result),
      ...rules,
      ...result.findings.map(findingOutcome),
      ...(result.baseline ? baselineOutcomes(result.baseline) : []),
    ],
  };
}

/** Adds a failed rule for a run without a verdict, because some output forms show only rules. */
function endOutcome(result: GateResult): RuleOutcome[] {
  if (!['nothing-measured', 'interrupted', 'runtime-failed'].includes(result.status)) return [];
  return [
    {
      rule: 'the run ends with a verdict',
      level: 'error',
      status: 'failed',
      candidate: 'all',
      message: verdictLine(result),
    },
  ];
}

function findingOutcome(finding: JudgedFinding): RuleOutcome {
  return {
    rule: `finding ${finding.code}`,
    level: finding.level,
    status: 'failed',
    candidate: 'config',
    message: wordFinding(finding),
  };
}

function baselineOutcomes(baseline: BaselineResult): RuleOutcome[] {
  const { cells, source } = baseline;
  const worse = cells.filter((cell) => cell.outcome === 'regressed');
  const base = { level: 'error', status: 'failed' } as const;
  return [
    ...worse.map((cell) => ({
      ...base,
      rule: `no worse than ${source}: ${cell.cell}`,
      candidate: cell.candidate,
      message: cellMessage(cell),
    })),
    ...missingByCandidate(baseline).map((gone) => ({
      ...base,
      ...gone,
      rule: `no worse than ${source}`,
    })),
  ];
}

/** A command at the end of advice. */
export interface NextStep {
  readonly why: string;
  readonly command: string;
}

/** What to change, and where. */
export interface Advice {
  /** Path of the key in the config; '' = the whole file. */
  readonly path: string;
  /** Line in the config, counted from 1. */
  readonly line: number;
  /** Where the key is: `config.json:9 (rope_scaling)`. */
  readonly place: string;
  readonly says: string;
  readonly next: readonly NextStep[];
}

/** Writes advice as lines: what to change and where, then one command per line. */
export function adviceLines({ place, says, next }: Advice): readonly [string, ...string[]] {
  return [`${place}: ${says}`, ...next.map(({ why, command }) => `${why}: ${command}`)];
}

/** The part of a gate's run that advice depends on. */
export interface AdviceContext {
  readonly report: Report;
  readonly configText: string;
  /** The config's path, as the user wrote it. */
  readonly source: string;
  /** What differs from the config before the change; empty without one. */
  readonly changed: readonly RopeSetting[];
  readonly names: OptionNames;
  readonly commands: Commands;
}

/** Commands that reproduce or vary the verdict. */
export interface Commands {
  /** Compares scalings on this config, against the same reference and at the same length. */
  readonly compare: string;
  readonly again: (samples: number) => string;
  /** Judges the config without the one before the change, as if its weights were trained with it. */
  readonly alone: (config: 'scaled' | 'unscaled') => string;
}

/**
 * Makes the advice for a rule that did not pass. It is written for someone who changed one key and
 * now sees a failed check, and who knows nothing about this tool.
 */
export function adviceFor(result: RuleResult, context: AdviceContext): Advice {
  const { report, configText, source, changed, names } = context;
  const { path, line } = culpritOf(configText, result.metric, changed);
  const named = report.candidates.find((each) => each.label === result.candidate);
  // A candidate of the policy has no line in the config.
  const own = named?.label === 'as-configured';
  const place = path === '' || !own ? source : `${source}:${line} (${path})`;
  const { says: words, next } =
    result.outcome === 'unverifiable'
      ? undecidedAdvice(result, context)
      : failedAdvice(result, context);
  return { path, line, place, says: inWords(words, names), next };
}

/** Advice before its place is known. */
interface Counsel {
  readonly says: Words;
  readonly next: readonly NextStep[];
}

function failedAdvice(result: RuleResult, context: AdviceContext): Counsel {
  const { report, configText, changed, commands } = context;
  const { setting } = culpritOf(configText, result.metric, changed);
  const named = report.candidates.find((each) => each.label === result.candidate);
  const { kind, advice } = METRICS[result.metric];
  const isChange = named?.label === 'as-configured' && kind !== 'cost';
  const isScaled = named?.groups.some(({ ropeType }) => ropeType !== 'default') === true;
  const alone = commands.alone(isScaled ? 'scaled' : 'unscaled');
  if (isChange && setting === 'theta' && changed.includes('theta')) {
    return {
      says: 'theta differs from what the weights were trained with, and no scaling makes up for it. Put the old value back.',
      next: [{ why: 'If the weights were tuned to the new one', command: alone }],
    };
  }
  const { says, compares } = advice({
    candidate: result.candidate,
    part: result.part,
    target: report.target.tokens,
    trainedWindow: report.reference.trainedWindow,
    reach: named?.reach?.tokens,
  });
  const trained = isChange && setting === 'scaling' && changed.includes('scaling');
  return {
    says,
    next: [
      ...(trained ? [{ why: 'If the weights were trained with it', command: alone }] : []),
      ...(compares ? [{ why: 'To compare scalings', command: commands.compare }] : []),
    ],
  };
}

/** Says what would decide a rule, depending on why it could not be decided. */
function undecidedAdvice(
  { reason, rule, samplesToDecide, candidate, metric }: RuleResult,
  { report, commands }: AdviceContext,
): Counsel {
  const say = (says: Words, next: readonly NextStep[] = []): Counsel => ({ says, next });
  switch (reason) {
    case 'no-candidate':
      return say(`Add ${candidate} to the candidates of the policy.`);
    case 'not-measured':
      return say(
        METRICS[metric].kind === 'cost'
          ? `For ${rule} the config names too few sizes; complete it, or take the rule out of the policy.`
          : `For ${rule} nothing is measured at this length; ask for one from a quarter of the trained window to the target.`,
      );
    case 'no-facts':
      return say(
        'Change nothing on this ground: facts cannot judge weights that find next to none of them without a scaling. Judge them by a policy with "lossChange@target <= 0.1" and "short.lossChange <= 0.05" in place of the rules on facts.',
      );
    case 'one-context':
      return say(`For ${rule} there was one context, which has no interval; ask for more.`, [
        { why: 'With more', command: commands.again(SEVERAL) },
      ]);
    case 'local-only':
      return say(
        'No rotating layer looks beyond its window any more, so no length can be measured; undo the change, or restore the layers’ view.',
      );
    case 'ambiguous-reference':
      return say(
        words`Change nothing on this ground: the block names no original window, so the weights may have been trained with it, and then nothing is lost. Say what they were trained with (${option('reference')} configured or unscaled), or give the config before the change (${option('base')}).`,
        [{ why: 'If they were trained with it', command: commands.alone('scaled') }],
      );
    case 'ladder-ended':
      return say(
        `For ${rule} nothing longer than ${tokens(report.target.tokens)} tokens was measured; judge at a longer target.`,
      );
  }
  if (!samplesToDecide) {
    return say(
      `For ${rule} more contexts would hardly decide; move the threshold off the value that was found.`,
    );
  }
  const thorough = samplesToDecide <= THOROUGH && report.settings.preset !== 'thorough';
  return say(
    `For ${rule} about ${samplesToDecide} samples${thorough ? ', or the preset thorough,' : ''} would decide.`,
    [{ why: 'With them', command: commands.again(samplesToDecide) }],
  );
}

/** Samples that give every probe several contexts, also those that cost a user's own weights most. */
const SEVERAL = 4;

/** The thorough preset measures every probe at least as often as a run with this many samples. */
const THOROUGH = Math.min(
  ...(['short', 'shortText', 'long', 'longText'] as const).map(
    (probe) => PRESETS.thorough[probe] / CONTEXTS_PER_SAMPLE[probe],
  ),
);
