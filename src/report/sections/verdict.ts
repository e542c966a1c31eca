import { findingName } from '../../findings/index.js';
import { DEFAULT_SEED } from '../../probes/presets.js';
import { kindOfSubject } from '../../subjects/schema.js';
import { MINUS, quote } from '../../text.js';
import {
  list,
  nats,
  percent,
  points,
  printable,
  reachTokens,
  rungAt,
  shortTokens,
  signed,
  tokens,
} from '../format.js';
import { rangeText, shortCostOnModels } from '../real-models.js';
import type { CandidateReport, Interval, Report, Short } from '../schema/report.js';
import { baseName, recomputedOnly } from './conditions.js';
import { type Block, paragraphs, type Section } from './section.js';
import { isSameScaling, ranked, recommended } from './summary.js';

/** Presents the verdict: what to do, its gains and costs, and the command for it. */
export function verdictSection(report: Report): Section {
  return {
    id: 'verdict',
    title: 'Verdict',
    prominent: true,
    blocks: [
      ...verdictBlocks(report),
      ...settingsBlocks(report),
      ...paragraphs([profileWords(report)]),
      ...nextBlocks(report),
    ],
  };
}

function profileWords({ recommendation }: Report): string {
  const { profiles } = recommendation;
  if (profiles === undefined) return '';
  const lengths = profiles.map(
    ({ upTo, candidate, measured }) =>
      `${shortTokens(upTo)}: ${candidate === null ? 'nothing holds' : printable(candidate)}` +
      (measured === false ? ' (not measured)' : ''),
  );
  const factors = profiles.flatMap(({ factor = 1 }) => (factor > 1 ? [factor] : []));
  const how = profiles.some(({ measured }) => measured === false)
    ? ' What was not measured has the recommended factor in proportion to the length; --factor ' +
      `${factors.join(',')} measures it.`
    : '';
  return `Where the server can choose per request, by length: ${lengths.join('; ')}.${how}`;
}

const STATUS_WORDS: Readonly<Record<Report['status'], string>> = Object.freeze({
  complete: '',
  interrupted: 'Interrupted: only the finished measurements are shown.',
  failed: 'The runtime failed before the end: only the finished measurements are shown.',
});

/** Presents only the verdict, which is at the top of every form. */
export function verdictBlocks(report: Report): readonly Block[] {
  return [
    { kind: 'text', tone: 'warn', text: STATUS_WORDS[report.status] },
    { kind: 'text', tone: 'strong', text: [adviceWords(report), ...caveats(report)].join(' ') },
  ];
}

/** Words the advice in one or two sentences, with the recommended candidate first. */
export function adviceWords(report: Report): string {
  const sentences = ADVICE[report.recommendation.code](report, recommended(report));
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

type Advice = (report: Report, best: CandidateReport | undefined) => readonly string[];

const ADVICE: Readonly<Record<Report['recommendation']['code'], Advice>> = Object.freeze({
  use: (report, best) => [
    `Use ${nameOf(best)}: it ${gainWords(report, best)}.`,
    costSentence(report, best),
    rivalSentence(report, best),
  ],
  'use-at-a-cost': (report, best) => [
    `Use ${nameOf(best)} if you need ${targetWords(report)}: it ${gainWords(report, best, 'them')}.`,
    costSentence(report, best),
    rivalSentence(report, best),
  ],
  'none-reaches': furthestSentences,
  keep: keepSentences,
  unclear: unclearSentences,
});

function nameOf(candidate: CandidateReport | undefined): string {
  return candidate === undefined ? 'it' : printable(candidate.label);
}

function targetWords({ target }: Report): string {
  return `${tokens(target.tokens)} tokens`;
}

function gainWords(
  report: Report,
  best: CandidateReport | undefined,
  length = targetWords(report),
): string {
  const rung = best && rungAt(best, report.target.tokens);
  const found = rung ? ` and finds ${percent(rung.accuracy.value)} of the facts there` : '';
  return `reaches ${length}${found}`;
}

/** Says what a scaling costs at lengths that already worked, and how to avoid the cost. */
function costSentence(report: Report, best: CandidateReport | undefined): string {
  const short = best?.short;
  if (!short) return 'What it costs at lengths that already worked was not measured.';
  if (isFree(short)) return 'At lengths that already worked it costs nothing measurable.';
  return (
    `At lengths that already worked it costs ${priceWords(report, best)}; nothing up to ` +
    `${tokens(report.reference.trainedWindow)} tokens if your server can switch it on for longer ones only.`
  );
}

/** Names a candidate that clearly loses less than the recommended one, if its reach is open. */
function rivalSentence(
  { candidates, settings }: Report,
  best: CandidateReport | undefined,
): string {
  const score = best?.score ?? -Infinity;
  const least = best?.short?.lossChange.low ?? -Infinity;
  const [rival] = candidates
    .filter((c) => c.verdict === 'unclear' && (c.score ?? Infinity) < score)
    .filter(({ short }) => short && short.lossChange.high < least)
    .sort((a, b) => a.score! - b.score!);
  if (!rival) return '';
  const more = MORE[settings.preset];
  const how = more === undefined ? '' : `; --preset ${more} may decide`;
  return `${nameOf(rival)} loses less, but its reach is left open${how}.`;
}

function isFree({ lossChange, accuracyChange }: Short): boolean {
  return holdsZero(lossChange) && holdsZero(accuracyChange);
}

/** Says in a sentence what a candidate costs and reaches; '' without its short contexts. */
export function effectWords(report: Report, label: string): string {
  const { candidates, config, target, reference } = report;
  const own = candidates.find((each) => each.label === label);
  if (!own?.short) return '';
  const name = printable(label === 'as-configured' ? config.source : label);
  if (own.groups.every(({ changed }) => !changed)) {
    return `${name} rotates as the weights were trained, so nothing is lost.`;
  }
  const { lossChange, accuracyChange } = own.short;
  const isWorse = lossChange.low > 0 || accuracyChange.high < 0;
  const changes = isFree(own.short)
    ? 'costs nothing measurable'
    : `${isWorse ? 'costs' : 'gains'} ${priceWords(report, own)}`;
  const cost = `${changes} at lengths that worked`;
  const { reach } = own;
  if (!reach || target.multiple <= 1) {
    return `${name} ${cost}, up to ${tokens(reference.trainedWindow)} tokens.`;
  }
  const before = candidates[0]?.reach;
  const was = before ? ` (reference: ${reachTokens(before)})` : '';
  const far = reach.multiple === 0 ? 'no length' : `${reachTokens(reach)} tokens`;
  return `${name} ${cost}, and reaches ${far}${was}.`;
}

/** Lists the changes that are significant, or both if neither is. */
function priceWords(report: Report, candidate: CandidateReport): string {
  const { short } = candidate;
  if (!short) return '';
  const { lossChange, accuracyChange } = short;
  const range = rangeText(shortCostOnModels(report, candidate));
  const changes = [
    { words: lossWords(lossChange.value, range), chance: holdsZero(lossChange) },
    { words: `${points(accuracyChange.value)} of facts`, chance: holdsZero(accuracyChange) },
  ];
  const sure = changes.filter(({ chance }) => !chance);
  return list((sure.length > 0 ? sure : changes).map(({ words }) => words));
}

/** `+0.06 nats (+7 % perplexity; 0.05 to 0.17 on models of 7 B to 0.1 B)` */
function lossWords(change: number, range: string): string {
  const share = Math.abs(Math.expm1(change));
  const perplexity = share < 0.005 ? 'under 1 %' : `${change < 0 ? MINUS : '+'}${percent(share)}`;
  return `${signed(change, 2)} nats (${perplexity} perplexity${range === '' ? '' : `; ${range}`})`;
}

function holdsZero({ low, high }: Interval): boolean {
  return low <= 0 && high >= 0;
}

/** Says to keep the config, or to go back to the reference if the config has another scaling. */
function keepSentences(report: Report): readonly string[] {
  const { candidates, reference, target, recommendation } = report;
  const why = candidates.slice(1).some(({ verdict }) => verdict === 'not-needed')
    ? `${viewWords(report)}, so ${targetWords(report)} bring no new distances and no scaling can ` +
      'help. Whether the model copes with such lengths is not a question of RoPE.'
    : target.multiple <= 1
      ? `The weights were trained on ${tokens(reference.trainedWindow)} tokens, so ${targetWords(report)} need no scaling.`
      : `The model holds at ${targetWords(report)} without a scaling.`;
  const own = departing(report);
  if (!own && reference.alternative?.kind !== 'configured') {
    return recommendation.write === undefined
      ? ['Keep the config as it is.', why]
      : [
          reference.ropeType === 'default' ? 'Add no scaling.' : 'Keep the scaling as it is.',
          why,
          `To serve ${targetWords(report)}, max_position_embeddings has to be raised.`,
        ];
  }
  const short = own?.short;
  const costs = own && short && !isFree(short) ? `, which costs ${priceWords(report, own)}` : '';
  return [
    'Go back to what the weights were trained with.',
    why,
    `The config departs from it${costs}.`,
  ];
}

/** Says how far back the layers that rotate look, in a model without a global one among them. */
function viewWords({ geometry }: Report): string {
  const windows = (geometry?.groups ?? []).map(({ span }) =>
    span.kind === 'sliding' ? span.window : undefined,
  );
  const [window] = windows;
  return window !== undefined && windows.every((each) => each === window)
    ? `Each layer that rotates sees only its last ${tokens(window)} tokens`
    : 'No layer that rotates looks farther back than its own window';
}

function unclearSentences(report: Report, best: CandidateReport | undefined): readonly string[] {
  if (!best && referenceReachesNothing(report)) return noFactsSentences(report);
  const rung = best && rungAt(best, report.target.tokens);
  if (!best || !rung) {
    return [`It stays open whether any candidate reaches ${targetWords(report)}.`];
  }
  return [
    `${nameOf(best)} looks best, but these contexts leave open whether it reaches ` +
      `${targetWords(report)}: it finds ${percent(rung.accuracy.value)} of the facts there.`,
    best.short && !isFree(best.short)
      ? `At lengths that already worked it costs ${priceWords(report, best)}.`
      : costSentence(report, best),
  ];
}

/** Names the candidate that reaches farthest, and the one with the best score if it is another. */
function furthestSentences(report: Report, best: CandidateReport | undefined): readonly string[] {
  const others = report.candidates.slice(1);
  const start = `No candidate reaches ${targetWords(report)}.`;
  if (!best?.reach) {
    const lost = others.length > 0 && others.every((c) => c.reach?.multiple === 0);
    if (referenceReachesNothing(report)) return noFactsSentences(report);
    return [start, lost ? 'All of them lose facts inside the trained window already.' : ''];
  }
  return [
    start,
    `${nameOf(best)} gets furthest, to ${reachTokens(best.reach)} tokens.`,
    costSentence(report, best),
    leastLossSentence(report, best),
  ];
}

/** Whether the reference loses facts within its window, so that facts cannot judge a scaling. */
function referenceReachesNothing({ candidates }: Report): boolean {
  return candidates[0]?.reach?.multiple === 0;
}

function noFactsSentences(report: Report): readonly string[] {
  const [least] = ranked(report.candidates.slice(1));
  return [
    'The model finds too few facts within its own trained window, without any scaling, to judge ' +
      `by them whether one reaches ${targetWords(report)}; the losses can still be compared.`,
    least
      ? `By them ${printable(least.label)} is the best: ${nats(least.score)} nats a token over all lengths.`
      : '',
  ];
}

/** Names the candidate with the lowest score, unless it is the recommended one. */
function leastLossSentence({ candidates }: Report, best: CandidateReport): string {
  const [least] = ranked(candidates.slice(1));
  if (!least || least.label === best.label) return '';
  return `${printable(least.label)} loses least over all lengths: ${nats(least.score)} nats a token.`;
}

function caveats(report: Report): readonly string[] {
  const { code, tied } = report.recommendation;
  const best = recommended(report);
  const advised = code === 'use' || code === 'use-at-a-cost' || code === 'unclear';
  const sentences = [
    report.status === 'complete' ? '' : 'The run was not finished; its finished part says so.',
    ...(advised ? [recomputedOnly(best, report), ...tiedSentences(tied, best, report)] : []),
    advised ? outdoneSentence(report) : '',
    readingSentence(report),
    kindOfSubject(report.subject).caveat(report.subject),
  ];
  return sentences.filter((sentence) => sentence !== '');
}

/** Says which options to use if the weights were trained with a scaling that seems to ruin them. */
function readingSentence({ candidates, reference }: Report): string {
  const { base, alternative, evidence } = reference;
  const own = candidates.find(({ label }) => label === 'as-configured');
  const isOpen = base !== undefined || alternative?.kind === 'configured';
  if (own?.verdict !== 'fails-short' || !isOpen || evidence === 'option') return '';
  const how = base === undefined ? '' : ', without --base';
  return `If the weights were trained with the config’s scaling: --reference configured${how}.`;
}

/** Explains why the config is not kept although it still finds facts at the target. */
function outdoneSentence(report: Report): string {
  const { candidates, target } = report;
  const [reference] = candidates;
  const rung = reference && rungAt(reference, target.tokens);
  if (!rung || (reference.reach?.multiple ?? 0) < target.multiple) return '';
  return `${referenceName(report)} keeps its facts there too, but loses ${nats(rung.lossChange.value)} nats.`;
}

/** Names the reference by the config that it was taken from, to begin a sentence. */
function referenceName(report: Report): string {
  const { base, alternative } = report.reference;
  const isScaled = alternative?.kind === 'configured' || (!base && departing(report) !== undefined);
  const config = (baseName(report) ?? 'the config').replace(/^the /, 'The ');
  return `${config} ${isScaled ? 'without its scaling' : 'as it is'}`;
}

/** The row of the config itself, if its scaling is not the reference. */
function departing({ candidates }: Report): CandidateReport | undefined {
  return candidates.find(
    ({ label, groups }) => label === 'as-configured' && groups.some(({ changed }) => changed),
  );
}

function tiedSentences(
  tied: readonly string[],
  best: CandidateReport | undefined,
  { candidates }: Report,
): readonly string[] {
  const isSame = (label: string): boolean => {
    const other = candidates.find((each) => each.label === label);
    return best !== undefined && other !== undefined && isSameScaling(best, other);
  };
  const same = tied.filter(isSame).map(printable);
  const level = tied.filter((label) => !isSame(label)).map(printable);
  return [
    same.length === 0 ? '' : `${list(same)} ${same.length > 1 ? 'are' : 'is'} the same scaling.`,
    level.length === 0 ? '' : `${list(level)} cannot be told apart from it by these contexts.`,
  ];
}

/** Gives the command to run next; empty if there is nothing to do. */
export function nextBlocks(report: Report): readonly Block[] {
  const command = nextCommand(report);
  if (command === undefined) return [];
  return [{ kind: 'code', language: 'sh', lead: `Next, ${command.why}:`, text: command.text }];
}

interface NextCommand {
  readonly why: string;
  readonly text: string;
}

/**
 * Chooses the command to run next, and says what it is for.
 *
 * @returns undefined if there is nothing to do, or the config cannot be named in a command
 */
export function nextCommand(report: Report): NextCommand | undefined {
  const { recommendation, target, status, settings, candidates } = report;
  const { code, candidate, tied, write } = recommendation;
  const named = namedConfig(report);
  if (status !== 'complete' || named === undefined) return undefined;
  const wordOf = (label: string): string =>
    shellWord(candidates.find((each) => each.label === label)?.argument ?? label);
  const emit = (why: string, what: string): NextCommand => ({
    why,
    text: ['rope-eval emit', named.source, what, targetOption(target), ...named.reading].join(' '),
  });
  const run = (why: string, to: Report['target'], ...options: readonly string[]): NextCommand => ({
    why,
    text: [
      'rope-eval',
      named.source,
      targetOption(to),
      ...options,
      ...named.reading,
      ...runOptions(report),
    ].join(' '),
  });
  switch (code) {
    case 'use':
    case 'use-at-a-cost':
      if (candidate === null) return undefined;
      return emit(settingsWords(report, candidate), wordOf(candidate));
    case 'unclear': {
      const more = MORE[settings.preset];
      if (more === undefined || candidate === null) return undefined;
      const those = candidatesOption([candidate, ...tied].map(wordOf));
      return run('more contexts', target, `--preset ${more}`, those);
    }
    case 'none-reaches': {
      const reach = recommended(report)?.reach;
      if (!reach || reach.multiple <= 1) return undefined;
      return run('the length that can be reached', reach);
    }
    case 'keep':
      return write && emit('the length to serve', 'as-configured');
  }
}

/** Says which engines have settings for the recommended candidate. Most classes read all of them. */
function settingsWords({ findings }: Report, label: string): string {
  const unwritten = findings.find(
    (found) =>
      findingName(found) === 'candidate_not_written' &&
      [found.args['candidates']].flat().includes(label),
  );
  if (unwritten === undefined) return 'the settings to use (--engine vllm for one engine)';
  const engines = [unwritten.args['engines'] ?? 'other engines'].flat().map(String);
  return engines.length === 0
    ? 'what to do where no engine can be told it'
    : `the settings for ${printable(list(engines))} (transformers cannot load it)`;
}

function targetOption({ tokens }: Pick<Report['target'], 'tokens'>): string {
  return `--target ${tokens}`;
}

/**
 * Names the config for a shell, with the options that lead to the same reference. Without them, a
 * command would compute the same scaling from other frequencies than those measured.
 *
 * @returns undefined if a program passed the config before the change, which then has no name
 */
function namedConfig({
  config,
  reference,
}: Report): { readonly source: string; readonly reading: readonly string[] } | undefined {
  const { base, evidence, kind, trainedWindow } = reference;
  if (base !== undefined && base.argument === undefined) return undefined;
  return {
    source: config.source === '-' ? '-' : shellWord(config.source),
    reading: [
      ...(base ? [`--base ${printable(base.argument ?? '')}`] : []),
      ...(evidence === 'option' ? [`--reference ${kind} --trained-window ${trainedWindow}`] : []),
    ],
  };
}

/** The options that ask a further run on the same contexts and weights. */
function runOptions({ subject, settings }: Report): readonly string[] {
  const own = kindOfSubject(subject).argument(subject);
  return [
    ...(settings.seed === DEFAULT_SEED ? [] : [`--seed ${settings.seed}`]),
    ...(own === undefined ? [] : [printable(own)]),
  ];
}

/** Separates candidates into several options if one is a JSON object, which contains commas. */
function candidatesOption(words: readonly string[]): string {
  const plain = words.every((word) => !word.startsWith("'"));
  const lists = plain ? [words.join(',')] : words;
  return lists.map((word) => `--candidates ${word}`).join(' ');
}

/** The next larger preset, which can decide more. */
const MORE: Readonly<Partial<Record<string, string>>> = Object.freeze({
  quick: 'standard',
  standard: 'thorough',
});

function shellWord(text: string): string {
  return quote(printable(text));
}

function settingsBlocks({ recommendation: { write } }: Report): readonly Block[] {
  if (write === undefined || Object.keys(write).length === 0) return [];
  // All keys are paths into one object: `text_config.rope_scaling` belongs in text_config.
  const paths = Object.entries(write).map(([key, value]) => ({ path: key.split('.'), value }));
  const within = paths[0]?.path.slice(0, -1).join('.') ?? '';
  const keys = paths.map(
    ({ path, value }) => `${JSON.stringify(path.at(-1))}: ${printable(JSON.stringify(value))}`,
  );
  const where = within === '' ? '' : `, in its ${printable(within)}`;
  return [
    {
      kind: 'code',
      language: 'json',
      lead: `Write into config.json${where}:`,
      text: keys.join(',\n'),
    },
  ];
}
