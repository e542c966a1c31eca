import { CONTEXTS_PER_SAMPLE, PRESETS } from '../probes/presets.js';
import { tokens } from '../report/format.js';
import type { Report } from '../report/schema.js';
import { culpritOf } from './culprit.js';
import type { RuleResult } from './judge-rule.js';

/** What to change, and where. */
export interface Advice {
  /** Path of the key in the config; '' = the whole file. */
  readonly path: string;
  /** Line in the config, from 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * Advice for a rule that did not pass: for a stranger who changed one key and now reads a red
 * check.
 *
 * @param source the config's path, as the user wrote it
 */
export function adviceFor(
  result: RuleResult,
  report: Report,
  configText: string,
  source: string,
): Advice {
  const { path, line } = culpritOf(configText, result.metric);
  const target = report.target.tokens;
  const window = report.reference.trainedWindow;
  const compare = `rope-eval ${source} --target ${target}`;
  const named = report.candidates.find((each) => each.label === result.candidate);
  // A candidate of the policy stands on no line of the config.
  const own = named?.label === 'as-configured';
  const at = path === '' || !own ? source : `${source}:${line} (${path})`;
  if (result.outcome === 'unverifiable') {
    return { path, line, text: `${at}: ${undecidedAdvice(result, report)}` };
  }
  if (result.metric.startsWith('short.')) {
    const what =
      result.part === undefined
        ? `The model gets worse inside the ${tokens(window)} tokens it was trained on`
        : `The ${result.part} layers never see longer contexts, so a scaling only costs them accuracy`;
    return {
      path,
      line,
      text: `${at}: ${what}. Choose a smaller factor or a gentler scaling (${compare} compares them), or undo the change if short requests matter.`,
    };
  }
  if (result.metric === 'kvCacheGiB') {
    return {
      path,
      line,
      text: `${at}: lower the maximum length, or raise the limit in the policy.`,
    };
  }
  const reach = named?.reach;
  const reached = reach && reach.tokens < target ? ` ${reachWords(reach.tokens)}` : '';
  return {
    path,
    line,
    text: `${at}: ${tokens(target)} tokens are asked of ${result.candidate}, ${tokens(window)} were trained.${reached} Ask for less, or find a scaling that reaches it: ${compare}.`,
  };
}

/** What would decide a rule, by why it could not be decided. */
function undecidedAdvice(
  { reason, samplesToDecide, candidate }: RuleResult,
  report: Report,
): string {
  if (reason === 'no-candidate') return `add ${candidate} to the candidates of the policy.`;
  if (reason === 'not-measured') return 'the run did not come to it; let one finish.';
  if (reason === 'ladder-ended') return 'raise --target, as nothing longer was measured.';
  if (!samplesToDecide) {
    return 'more contexts would hardly decide; move the threshold off the value that was found.';
  }
  const thorough = samplesToDecide <= THOROUGH && report.settings.preset !== 'thorough';
  return `run with about --samples ${samplesToDecide}${thorough ? ', or --preset thorough,' : ''} to decide.`;
}

/** The thorough preset measures each probe at least as often as so many samples do. */
const THOROUGH = Math.min(
  ...(['short', 'shortText', 'long', 'longText'] as const).map(
    (probe) => PRESETS.thorough[probe] / CONTEXTS_PER_SAMPLE[probe],
  ),
);

function reachWords(reached: number): string {
  if (reached === 0) return 'It loses facts inside the trained window already.';
  return `It works up to about ${tokens(reached)} tokens.`;
}
