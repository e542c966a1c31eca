import type { ProbeGeometry } from '../geometry/transfer.js';
import { probeTokens } from '../probes/ladder.js';
import type { Language } from '../probes/language.js';
import type { PresetPlan } from '../probes/presets.js';
import { planCandidate, type Plan } from './candidate.js';
import { FurtherContexts } from './further.js';
import { JobList } from './jobs.js';
import { planServing, type Serving } from './serving.js';
import { contextSets, type Sets } from './sets.js';
import type { Setup } from './setup.js';

/** All that is to be run on one probe model, and where its results will be. */
export interface RunPlan {
  readonly sets: Sets;
  readonly further: FurtherContexts;
  readonly jobs: JobList;
  /** The reference first. */
  readonly plans: readonly Plan[];
  /** (plans) */
  readonly serving: readonly Serving[];
}

interface Parts {
  readonly probe: ProbeGeometry;
  readonly language: Language;
  /** The ladder. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  /** Contexts of facts on the ladder that a scaling gets at most. */
  readonly most: number;
}

/** Draws the contexts and asks for every scaling's runs on them. */
export function planRun(setup: Setup, parts: Parts): RunPlan {
  const { probe, language, multiples, samples, most } = parts;
  const { seed, localOnly, target } = setup;
  const { window } = probe;
  const far = localOnly ? 1 : target.multiple;
  const sets = contextSets(language, window, multiples, samples, seed, far);
  const targetTokens = probeTokens(target.multiple, window);
  const further = new FurtherContexts(language, sets.long, targetTokens, most, seed);
  const plans = [undefined, ...setup.candidates].map((candidate) =>
    planCandidate(setup, probe, multiples, candidate),
  );
  const run = { setup, probe, multiples, sets, further, language, samples, seed };
  const serving = plans.map((plan) => planServing(plan, run));
  const jobs = new JobList();
  for (const plan of plans) plan.addTo(jobs, sets);
  for (const each of serving) each.addTo(jobs);
  return { sets, further, jobs, plans, serving };
}
