import { TRAINED_IN } from '../../model/evidence.js';
import type { ReferenceKind } from '../../model/types.js';
import { counted, list, nats, printable, reachTokens, tokens } from '../format.js';
import type { DynamicForm } from '../probe-parts/serving.js';
import { rangeText, shortCostOnModels } from '../real-models.js';
import type { CandidateReport, Report } from '../schema/report.js';
import { kindOfSubject } from '../../subjects/schema.js';
import type { Section } from './section.js';

/** The conditions of a report: assumptions, what stood in for the model, and the settings. */

/** A caveat that is part of every report in every form. */
export function honestyWords({ subject }: Pick<Report, 'subject'>): string {
  return kindOfSubject(subject).honesty;
}

/** Presents the assumptions behind the results. */
export function assumptionsSection(report: Report): Section {
  return {
    id: 'assumptions',
    title: 'How to read this',
    blocks: [
      {
        kind: 'list',
        items: [...referenceWords(report), subjectWords(report), honestyWords(report)],
      },
    ],
  };
}

/** Presents the versions, settings and models that the results depend on. */
export function conditionsSection(report: Report): Section {
  const { tool, subject, runtime } = report;
  const answered = printable(kindOfSubject(subject).credit(subject));
  return {
    id: 'conditions',
    blocks: [
      {
        kind: 'text',
        tone: 'soft',
        text:
          `rope-eval ${tool.version}, ${settingsUsedWords(report)} ${answered}; ` +
          `onnxruntime ${runtime.onnxruntime}, Node ${runtime.node}, ${runtime.platform}.`,
      },
    ],
  };
}

/** Says what is assumed about the weights, and gives the alternative if there is one. */
export function referenceWords(report: Report): readonly string[] {
  const { kind, trainedWindow, evidence, alternative } = report.reference;
  const by = baseName(report);
  const assumed = readingWords(kind, trainedWindow, by);
  const lines = [
    `Assumes weights trained ${assumed} (${by === undefined ? '' : `${by}: `}${evidenceWords(evidence)}).`,
  ];
  if (alternative) {
    lines.push(
      `The other reading, weights trained ${readingWords(alternative.kind, alternative.trainedWindow, by)}, ` +
        `is evaluated with --reference ${alternative.kind} --trained-window ${alternative.trainedWindow}.`,
    );
  }
  return lines;
}

/** Names the config before a change, if the reference was taken from it. */
export function baseName({ reference: { base } }: Report): string | undefined {
  return base && printable(base.argument ?? 'the config before the change');
}

/** Says why a reading was chosen. */
export function evidenceWords(evidence: string): string {
  if (evidence === 'option') return 'as the options say';
  if (evidence === 'no-scaling') return 'the config has no scaling';
  if (evidence === 'overlay') return 'nothing says that the scaling was trained in';
  return TRAINED_IN.find(({ key }) => key === evidence)?.source ?? printable(evidence);
}

export function readingWords(kind: ReferenceKind, window: number, by = 'this config'): string {
  const how = kind === 'unscaled' ? 'without a scaling' : `with the scaling of ${by}`;
  return `${how}, on ${tokens(window)} tokens`;
}

/** Says briefly who answered. */
export function subjectBrief(report: Report): string {
  const { subject } = report;
  const kind = kindOfSubject(subject);
  return kind.caveat(subject) === '' ? `${printable(kind.who(subject))}.` : subjectWords(report);
}

/** Says who answered: the probe model, with how well it fits, or the user's own decoder. */
export function subjectWords({ subject, reference }: Report): string {
  return printable(kindOfSubject(subject).describe(subject, reference));
}

/** Says how the measurements were made. */
export function settingsUsedWords(report: Report): string {
  const { preset, seed, contexts, device, threads } = report.settings;
  return (
    `${preset} preset, seed ${seed}, ${contexts.short} short and ` +
    `${counted(contexts.long, 'long context')}` +
    `${furtherWords(report)}, ${device}, ${counted(threads, 'thread')}.`
  );
}

function furtherWords({ candidates }: Report): string {
  const counts = [...new Set(candidates.flatMap((c) => c.longContexts ?? []))].sort(
    (a, b) => a - b,
  );
  if (counts.length === 0) return '';
  const each = counts.map((count) => {
    const given = candidates.filter((c) => c.longContexts === count);
    return `${count} for ${list(given.map((c) => printable(c.label)))}`;
  });
  return ` (where those did not decide, ${each.join(', ')})`;
}

/**
 * Says where a recommended dynamic scaling behaves differently from what was measured. Its main row
 * is the recomputed form, which hardly any server uses while it generates.
 *
 * @returns '' for scalings whose table does not depend on the length
 */
export function recomputedOnly(best: CandidateReport | undefined, report: Report): string {
  const { settings } = report;
  if (!best?.groups.some(({ ropeType, changed }) => ropeType === 'dynamic' && changed)) return '';
  const cached = best.forms?.find(({ form }) => form === 'cached');
  const fixed = best.forms?.find(({ form }) => form === 'static');
  if (!cached || !fixed) {
    const advice = settings.preset === 'quick' ? '; --preset standard measures it' : '';
    return (
      'That holds where all keys are recomputed at each length. With cached keys, or as one static ' +
      `table (vLLM), it may do far worse${advice}.`
    );
  }
  const cost = fixed.short.lossChange.value;
  const range = rangeText(shortCostOnModels(report, best, cost));
  return (
    `As servers run it, with cached keys, it reaches ${reachOf(cached)}; as one static table ` +
    `(vLLM), ${reachOf(fixed)}, for ${nats(cost)} nats at short lengths${range === '' ? '' : ` (${range})`}.`
  );
}

function reachOf({ reach }: DynamicForm): string {
  return reach.multiple === 0 ? 'no length' : `${reachTokens(reach)} tokens`;
}
