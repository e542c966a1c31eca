import { TRAINED_IN } from '../../model/evidence.js';
import type { ReferenceKind } from '../../model/types.js';
import { fixed } from '../../numbers.js';
import { list, nats, percent, printable, reachTokens, tokens } from '../format.js';
import type { DynamicForm } from '../probe-parts/serving.js';
import { rangeText, shortCostOnModels } from '../real-models.js';
import type { CandidateReport, Report } from '../schema/report.js';
import {
  isProbe,
  type OnnxDecoderReport,
  type ProbeModelReport,
  type SubjectReport,
} from '../../subjects/schema.js';
import type { Section } from './section.js';

/** The conditions of a report: assumptions, what stood in for the model, and the settings. */

/** A caveat that is part of every report in every form. */
export const HONESTY = Object.freeze({
  'probe-model':
    'The probe model ranks RoPE geometry; it does not predict your checkpoint’s absolute accuracy.',
  'onnx-decoder':
    'Losses and facts are those of your own weights, on the texts and facts of this tool; your own texts may lose more or less.',
} satisfies Record<SubjectReport['kind'], string>);

export function honestyWords({ subject }: Report): string {
  return HONESTY[subject.kind];
}

/** Presents the assumptions behind the results. */
export function assumptionsSection(report: Report): Section {
  return {
    id: 'assumptions',
    title: 'How to read this',
    depth: 2,
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
  const { name, weightsSha256 } = subject;
  return {
    id: 'conditions',
    depth: 2,
    blocks: [
      {
        kind: 'text',
        tone: 'soft',
        text:
          `rope-eval ${tool.version}, ${settingsUsedWords(report)} ${isProbe(subject) ? 'Probe model' : 'Decoder'} ` +
          `${printable(name)}, weights ${weightsSha256.slice(0, 12)}; onnxruntime ${runtime.onnxruntime}, ` +
          `Node ${runtime.node}, ${runtime.platform}.`,
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
  if (!isProbe(subject)) {
    return `Measured on ${printable(subject.name)} itself, on ${tokens(subject.textTokens)} tokens of text.`;
  }
  return subject.inRange
    ? `Probe ${subject.name} ranks geometry, not your checkpoint’s accuracy.`
    : subjectWords(report);
}

/** Says who answered: the probe model, with how well it fits, or the user's own decoder. */
export function subjectWords(report: Report): string {
  const { subject, reference } = report;
  if (!isProbe(subject)) return decoderWords(subject);
  const own = fixed(reference.criticalFraction, 3);
  const fit = subject.inRange
    ? `this model has ${own}`
    : `this model has ${own}, outside the range of the bundled ones: read the results with care`;
  return (
    `Probe model ${subject.name}: critical fraction ${fixed(subject.criticalFraction, 3)} ` +
    `(${fit}), ${heldWords(subject.heldPairs)}${rotaryWords(subject, report)}trained on ${tokens(subject.window)} tokens.`
  );
}

function decoderWords(subject: OnnxDecoderReport): string {
  const { name, producer, forms, precision, editDifference, textTokens, textRepeats } = subject;
  const again = textRepeats ? ', read again where a context is longer' : '';
  return (
    `Your own decoder ${printable(name)} (${printable(producer || 'unknown exporter')}, ${list(forms)}, ${precision}), ` +
    `its rotary tables replaced: with its own table the edited graph differs from the original by ` +
    `${editDifference.toPrecision(1)} nats at most. Texts of ${tokens(textTokens)} tokens${again}.`
  );
}

/** Explains the pairs that are held because the model has none as slow as the probe's slowest. */
function heldWords(pairs = 0): string {
  if (pairs === 0) return '';
  const slowest = pairs === 1 ? 'slowest pair' : `${pairs} slowest pairs`;
  return `its ${slowest}, slower than any of this model, held within the trained angles, `;
}

/** Says what share of a head rotates, if it is not all of it. */
function rotaryWords(subject: ProbeModelReport, { reference }: Report): string {
  const [probe = 1, own = 1] = [subject.rotaryShare, reference.rotaryShare];
  if (probe === 1 && own === 1) return '';
  return `${percent(probe)} of each head rotating (here ${percent(own)}), `;
}

export function chanceWords(report: Report): string {
  return `Guessing scores ${percent(report.chance)}.`;
}

const STATUS_WORDS: Readonly<Record<Report['status'], string>> = Object.freeze({
  complete: '',
  interrupted: 'Interrupted: only the finished measurements are shown.',
  failed: 'The runtime failed before the end: only the finished measurements are shown.',
});

export function statusWords(status: Report['status']): string {
  return STATUS_WORDS[status];
}

/** Says how the measurements were made. */
export function settingsUsedWords(report: Report): string {
  const { preset, seed, contexts, device, threads } = report.settings;
  return (
    `${preset} preset, seed ${seed}, ${contexts.short} short and ${contexts.long} long contexts` +
    `${furtherWords(report)}, ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}.`
  );
}

/** Says which candidates got more long contexts than the preset has, and how many. */
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
