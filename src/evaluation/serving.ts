import { finding } from '../findings/index.js';
import type { Finding } from '../findings/types.js';
import type { ProbeGeometry } from '../geometry/transfer.js';
import type { Language } from '../probes/language.js';
import type { PresetPlan } from '../probes/presets.js';
import type { CandidateReport, Interval } from '../report/schema/report.js';
import type { Against, Plan } from './candidate.js';
import type { FurtherContexts, Sets } from './context-sets.js';
import { addForms, planForms, reportForms } from './forms.js';
import type { JobList } from './jobs.js';
import { addOffset, planOffset, reportOffset } from './offset.js';
import { SHORT_LIMITS } from './recommendation.js';
import type { Setup } from './setup.js';
import { addSwitch, planSwitch, reportSwitch } from './switch.js';

/** What becomes of a scaling while text is generated: forms, switch and offset. */
export interface Serving {
  addTo(jobs: JobList): void;
  report(jobs: JobList, against: Against): Pick<CandidateReport, 'forms' | 'switch' | 'offset'>;
}

/** A switch has few questions a context, and only longrope pays for more contexts. */
const SWITCH_CONTEXTS = 4;

const NOTHING: Serving = Object.freeze({ addTo() {}, report: () => ({}) });

/** What every scaling of a run shares. */
export interface ServingRun {
  readonly setup: Setup;
  readonly probe: ProbeGeometry;
  /** The ladder. */
  readonly multiples: readonly number[];
  readonly sets: Sets;
  readonly further: FurtherContexts;
  readonly language: Language;
  /** A preset that takes a loss apart also measures this. */
  readonly samples: PresetPlan;
  readonly seed: number;
}

export function planServing(plan: Plan, run: ServingRun): Serving {
  const { setup, probe, multiples, sets, further, language, samples, seed } = run;
  if (samples.apart === 0) return NOTHING;
  const { main, localOnly, target } = setup;
  const forms = localOnly ? [] : planForms(plan, main, probe, multiples);
  const jump = planSwitch(plan, main, probe, {
    language,
    seed,
    count: SWITCH_CONTEXTS * samples.apart,
  });
  const offset = planOffset(plan, main, probe, sets.short.contexts, target.multiple);
  return {
    addTo(jobs) {
      addForms(forms, jobs, sets, plan.label);
      if (jump) addSwitch(jump, jobs, plan.label);
      addOffset(offset, jobs, plan.label);
    },
    report(jobs, against) {
      const found = {
        forms: reportForms(forms, jobs, sets, further, against, target.multiple),
        switch: jump && reportSwitch(jump, jobs),
        offset: reportOffset(offset, jobs),
      };
      return Object.fromEntries(
        Object.entries(found).filter(([, value]) => value !== undefined),
      ) as ReturnType<Serving['report']>;
    },
  };
}

const QUANTITIES = ['accuracy', 'loss'] as const;

/** A difference that is no chance, and as large as the verdict counts as a cost. */
function matters({ value, low, high }: Interval, quantity: (typeof QUANTITIES)[number]): boolean {
  const limit =
    quantity === 'accuracy' ? Math.abs(SHORT_LIMITS.accuracyChange) : SHORT_LIMITS.lossChange;
  return (low > 0 || high < 0) && Math.abs(value) > limit;
}

/** What of it a person should know before they serve the scaling. */
export function servingFindings(candidate: CandidateReport): Finding[] {
  const { label, forms = [], offset } = candidate;
  const jump = candidate.switch;
  const configured = label === 'as-configured';
  const found = forms.flatMap(({ form, gap }) => {
    // Where both matter, the facts are what a person would notice.
    const quantity = QUANTITIES.find((each) => gap && matters(gap[each], each));
    if (!gap || !quantity) return [];
    const { value, tokens, probe } = gap[quantity];
    const args = { candidate: label, form, quantity, value, tokens, probe };
    return [finding('dynamic_forms_differ', '', args, configured ? 'warning' : 'notice')];
  });
  if (
    jump &&
    (matters(jump.stale.accuracy, 'accuracy') || matters(jump.stale.languageLoss, 'loss'))
  )
    found.push(
      finding('stale_cache_at_switch', '', {
        candidate: label,
        tokens: jump.tokens,
        accuracy: jump.stale.accuracy.value,
        loss: jump.stale.languageLoss.value,
      }),
    );
  if (offset?.verdict === 'drifts') {
    const args = { candidate: label, drift: offset.maxDrift, tokens: offset.shift.tokens };
    found.push(finding('offset_drift', '', args));
  }
  return found;
}
