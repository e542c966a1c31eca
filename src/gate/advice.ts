import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { Fields } from '../json/fields.js';
import { isRecord, parseConfig } from '../json/parse.js';
import { findPart } from '../model/part.js';
import { CONTEXTS_PER_SAMPLE, PRESETS } from '../probes/presets.js';
import { tokens } from '../report/format.js';
import type { Report } from '../report/schema/report.js';
import type { RuleResult } from './judge.js';
import type { MetricName } from './metrics.js';

/**
 * Line (from 1) of a key in a JSON text, for annotations. The nearest ancestor that is there is
 * used where the key itself is not: a missing factor is reported at its block.
 *
 * @param path dotted, as findings write it: `rope_scaling.factor`, `rope_parameters.0.factor`
 */
export function lineOfKey(text: string, path: string): number {
  const root = parseTree(text);
  if (!root) return 1;
  const segments = path === '' ? [] : path.split('.');
  let node: Node = root;
  for (const segment of segments) {
    const next =
      findNodeAtLocation(node, [segment]) ??
      (/^\d+$/.test(segment) ? findNodeAtLocation(node, [Number(segment)]) : undefined);
    if (!next) break;
    node = next;
  }
  // A property's value has the property as its parent: its key is what the line should show.
  const shown = node.parent?.type === 'property' ? node.parent : node;
  return lineAt(text, shown.offset);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** What a key is about, and the names it goes by; the first that is there is meant. */
const KEYS = Object.freeze({
  scaling: ['rope_scaling', 'rope_parameters'],
  theta: ['rope_theta', 'rotary_emb_base', 'rope_parameters.rope_theta'],
  window: ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'seq_length'],
  localWindow: ['sliding_window', 'attention_window_size', 'attention_chunk_size'],
});

type Subject = keyof typeof KEYS;

/** A failed length is about the window it was claimed with; a failed short rule about the scaling. */
const SUBJECTS: Readonly<Record<MetricName, readonly Subject[]>> = Object.freeze({
  needle: ['scaling', 'window'],
  reach: ['scaling', 'window'],
  'short.accuracyChange': ['scaling', 'theta'],
  'short.lossChange': ['scaling', 'theta'],
  'short.copyAccuracyChange': ['scaling', 'theta'],
  'short.copyLossChange': ['scaling', 'theta'],
  kvCacheGiB: ['window'],
});

/** A key of a config and the line it stands on; path '' and line 1 where it is not written. */
export interface KeyPlace {
  readonly path: string;
  readonly line: number;
}

/** The key to look at when a rule on this metric fails. */
export function culpritOf(configText: string, metric: MetricName): KeyPlace {
  const places = SUBJECTS[metric].map((subject) => placeOf(configText, subject));
  return places.find(({ path }) => path !== '') ?? { path: '', line: 1 };
}

/** The paths under which this config writes theta, windows and scaling; '' = it does not. */
export function geometryKeys(configText: string): Readonly<Record<Subject, string>> {
  return {
    theta: placeOf(configText, 'theta').path,
    window: placeOf(configText, 'window').path,
    localWindow: placeOf(configText, 'localWindow').path,
    scaling: placeOf(configText, 'scaling').path,
  };
}

function placeOf(configText: string, subject: Subject): KeyPlace {
  const { fields } = findPart(new Fields(parseConfig(configText), ''));
  const key = KEYS[subject].find((name) => isWritten(fields, name.split('.')));
  const path = key === undefined ? '' : fields.at(key);
  return { path, line: path === '' ? 1 : lineOfKey(configText, path) };
}

/** A null block is written down, but says nothing. */
function isWritten(fields: Fields, [key = '', inner]: readonly string[]): boolean {
  if (!fields.given(key)) return false;
  const value = fields.raw(key);
  return inner === undefined || (isRecord(value) && Object.hasOwn(value, inner));
}

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
