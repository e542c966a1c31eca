import { performance } from 'node:perf_hooks';
import { loadFamily, loadLanguage, chooseMember, opener } from '../engine/index.js';
import type { EvaluateOptions } from '../evaluate-types.js';
import { finding } from '../finding-catalogue/index.js';
import { comparisons, type Against } from './against.js';
import { buildCandidate, longFacts, type Plan } from './candidate.js';
import { reportHead } from './head.js';
import { meanwhile } from './meanwhile.js';
import { perContext } from './per-context.js';
import { planRun } from './plan-run.js';
import { takeOver } from './resume.js';
import type { SavedJob } from './saved-job.js';
import { tied } from './score.js';
import { recommend } from './recommend.js';
import { defaultThreads, runtimeOf } from './runtime.js';
import { servingFindings } from './serving.js';
import { referenceGeometry, setUp } from './setup.js';
import { summariseReach } from './summary.js';
import { probeGeometry } from './tables.js';
import { isOpen } from './verdict.js';
import { work } from './work.js';
import { keysToWrite, unwritableFindings } from './write.js';
import { analyseGeometry } from '../geometry/analyse.js';
import { ladder, probeTokens } from '../probes/ladder.js';
import { mostLong, planOf } from '../probes/presets.js';
import { REPORT_SCHEMA_VERSION, type CandidateReport, type Report } from '../report/schema.js';
import { TOOL_VERSION } from '../version.js';

export interface ProbedReport {
  readonly report: Report;
  /** What was run, for a later run that goes on from it. */
  finished(): SavedJob[];
}

/**
 * The comparison on one probe model.
 *
 * @param wanted name of a member; default: the one whose critical fraction is nearest
 * @throws RopeEvalError exit 2 for a bad config or option, 3 where the runtime fails
 */
export async function evaluateOn(
  text: string,
  options: EvaluateOptions,
  wanted?: string,
): Promise<ProbedReport> {
  const started = performance.now();
  const setup = setUp(text, options);
  const preset = options.preset ?? 'standard';
  const samples = planOf(preset, options.samples);
  const { seed } = setup;
  const threads = options.threads ?? defaultThreads();
  const likeness = referenceGeometry(setup);
  const { window } = likeness;
  const family = await loadFamily();
  const { member, range, inRange, below } = chooseMember(family, likeness, wanted);
  const probe = probeGeometry(family, member, setup.referenceSpecs[setup.main]!, window, below);
  const language = await loadLanguage(family);
  const multiples = setup.localOnly
    ? [1]
    : ladder(
        setup.target.multiple,
        options.lengths?.map((tokens) => tokens / window),
      );
  const longest = probeTokens(Math.max(...multiples), member.window);
  const open = options.openEngine ?? opener(options.worker, longest);
  const opening = open({ member: member.name, device: options.device ?? 'auto', threads });
  const { engine, made } = await meanwhile(opening, () =>
    planRun(setup, {
      probe,
      language,
      multiples,
      samples,
      most: mostLong(samples, options.samples),
    }),
  );
  const { sets, further, jobs, plans, serving } = made;
  const engineStarted = performance.now();
  const tool: Report['tool'] = { name: 'rope-eval', version: TOOL_VERSION };
  const head = reportHead(text, options, setup, engine.info, {
    member,
    inRange,
    probe,
    settings: { preset, seed, contexts: samples, threads },
    multiples,
  });

  const compare = () => comparisons(jobs, sets, further, plans[0]!, setup, multiples, seed);
  const isUndecided = (plan: Plan, against: Against): boolean => {
    const facts = longFacts(plan, jobs, sets, further, against);
    return facts !== undefined && isOpen(summariseReach(facts), setup.target.multiple);
  };
  const stopped = await work(jobs, engine, options, {
    begin() {
      if (options.resume) takeOver(jobs, options.resume, { tool, ...head });
    },
    ask() {
      if (setup.localOnly) return false;
      const against = compare();
      return further.ask(
        jobs,
        plans.filter((plan) => isUndecided(plan, against)),
      );
    },
  });
  const engineMs = performance.now() - engineStarted;

  const against = compare();
  const built = plans.map((plan, i) => {
    const { report, score } = buildCandidate(plan, jobs, sets, further, against, setup);
    return { report: { ...report, ...serving[i]!.report(jobs, against) }, score };
  });
  const candidates = built.map((b) => b.report);
  const scores = new Map(built.map((b) => [b.report, b.score]));
  const isTied = (a: CandidateReport, b: CandidateReport): boolean => {
    const [x, y] = [scores.get(a), scores.get(b)];
    return x !== undefined && y !== undefined && tied(x, y);
  };
  const { contexts } = sets.long;
  const rows = stopped === undefined ? perContext(plans, jobs, sets, further, setup) : undefined;
  const recommendation = recommend(candidates, setup.target.multiple, isTied);
  const write = keysToWrite(setup, recommendation, text);
  const report: Report = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool,
    createdAt: new Date().toISOString(),
    status: stopped === undefined ? 'complete' : stopped === 'interrupted' ? stopped : 'failed',
    ...head,
    runtime: runtimeOf(engine.info.onnxruntime),
    chance: contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length,
    findings: [
      ...setup.model.findings,
      ...setup.findings,
      ...(inRange
        ? []
        : [finding('probe_out_of_range', '', { own: likeness.criticalFraction, ...range })]),
      ...setup.candidates.flatMap((c) => c.findings ?? []),
      ...unwritableFindings(setup, text),
      ...candidates.flatMap(servingFindings),
    ],
    candidates,
    recommendation: { ...recommendation, ...(write ? { write } : {}) },
    ...(stopped === undefined ? {} : { unfinished: { reason: stopped, jobs: jobs.finished() } }),
    ...(rows ? { perContext: rows } : {}),
    geometry: analyseGeometry(
      setup.before,
      setup.reference,
      setup.candidates.map(({ label, specs, softmaxScaleRatio }) => ({
        label,
        specs,
        softmaxScale: softmaxScaleRatio * setup.referenceSoftmaxScale,
      })),
      { target: setup.target.tokens, dtype: 'bfloat16', bandwidthGBps: null },
    ) as NonNullable<Report['geometry']>, // its lists are read-only
    timings: { totalMs: performance.now() - started, engineMs, tokens: jobs.tokens },
  };
  return { report, finished: () => jobs.finished() };
}
