import { CONTEXTS_PER_SAMPLE, PRESETS } from '../probes/presets.js';
import { tokens } from '../report/format.js';
import type { Report } from '../report/schema/report.js';
import type { RuleResult } from './judge.js';
import { culpritOf } from './keys.js';
import { METRICS, type Subject } from './metrics.js';

/** What to change, and where. */
export interface Advice {
  /** Path of the key in the config; '' = the whole file. */
  readonly path: string;
  /** Line in the config, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The gate's run, as far as advice depends on it. */
export interface AdviceContext {
  readonly report: Report;
  readonly configText: string;
  /** The config's path, as the user wrote it. */
  readonly source: string;
  /** What differs from the config before the change; empty without one. */
  readonly changed: readonly Subject[];
  /** Commands that come to the same verdict. */
  readonly commands: {
    /** Compares scalings on this config, against the same reference and at the same length. */
    readonly compare: string;
    /** The gate again, with so many samples. */
    readonly again: (samples: number) => string;
  };
}

/**
 * Advice for a rule that did not pass: for a stranger who changed one key and now reads a red
 * check.
 */
export function adviceFor(result: RuleResult, context: AdviceContext): Advice {
  const { report, configText, source, changed, commands } = context;
  const { subject, path, line } = culpritOf(configText, result.metric, changed);
  const named = report.candidates.find((each) => each.label === result.candidate);
  // A candidate of the policy stands on no line of the config.
  const own = named?.label === 'as-configured';
  const at = path === '' || !own ? source : `${source}:${line} (${path})`;
  const say = (text: string): Advice => ({ path, line, text: `${at}: ${text}` });
  if (result.outcome === 'unverifiable') return say(undecidedAdvice(result, context));
  if (subject === 'theta' && changed.includes('theta') && METRICS[result.metric].kind !== 'cost') {
    return say(
      'theta differs from what the weights were trained with, and no scaling makes up for it. ' +
        'Put the old value back, or change it together with weights that were tuned to it.',
    );
  }
  return say(
    METRICS[result.metric].advice({
      candidate: result.candidate,
      part: result.part,
      target: report.target.tokens,
      trainedWindow: report.reference.trainedWindow,
      reach: named?.reach?.tokens,
      compare: commands.compare,
    }),
  );
}

/** What would decide a rule, by why it could not be decided. */
function undecidedAdvice(
  { reason, samplesToDecide, candidate }: RuleResult,
  { report, commands }: AdviceContext,
): string {
  if (reason === 'no-candidate') return `add ${candidate} to the candidates of the policy.`;
  if (reason === 'not-measured') return 'the run ended before this was measured; let one finish.';
  if (reason === 'local-only') {
    return 'no rotating layer looks beyond its window any more, so no length can be measured; undo the change, or restore the layers’ view.';
  }
  if (reason === 'ladder-ended') {
    return `nothing longer than ${tokens(report.target.tokens)} tokens was measured; judge at a longer target.`;
  }
  if (!samplesToDecide) {
    return 'more contexts would hardly decide; move the threshold off the value that was found.';
  }
  const thorough = samplesToDecide <= THOROUGH && report.settings.preset !== 'thorough';
  return `about ${samplesToDecide} samples${thorough ? ', or the preset thorough,' : ''} would decide: ${commands.again(samplesToDecide)}`;
}

/** The thorough preset measures each probe at least as often as so many samples do. */
const THOROUGH = Math.min(
  ...(['short', 'shortText', 'long', 'longText'] as const).map(
    (probe) => PRESETS.thorough[probe] / CONTEXTS_PER_SAMPLE[probe],
  ),
);
