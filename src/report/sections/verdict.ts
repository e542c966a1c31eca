import {
  list,
  multiple,
  nats,
  percent,
  points,
  printable,
  reachTokens,
  tokens,
} from '../format.js';
import type { CandidateReport, Interval, Report } from '../schema/report.js';
import { rungAt } from '../view.js';
import { statusWords } from './conditions.js';
import { recomputedOnly } from './serving.js';
import { ranked } from './summary.js';
import { paragraphs, type Block, type Section } from './section.js';

/** What to do, and what it gains and costs. */

export function verdictSection(report: Report): Section {
  return {
    id: 'verdict',
    title: 'Recommendation',
    depth: 2,
    prominent: true,
    blocks: [
      { kind: 'text', tone: 'warn', text: statusWords(report.status) },
      { kind: 'text', tone: 'strong', text: recommendationWords(report) },
      ...settingsBlocks(report),
    ],
  };
}

/** One or two sentences: what to do, and what it gains and costs. */
export function recommendationWords(report: Report): string {
  const caveat = report.subject.inRange
    ? ''
    : ' No probe model stands for such a model: make sure of it on the model itself.';
  return adviceWords(report) + caveat;
}

function adviceWords(report: Report): string {
  const { code, tied } = report.recommendation;
  const best = report.candidates.find((each) => each.label === report.recommendation.candidate);
  const target = `${tokens(report.target.tokens)} tokens`;
  const unfinished = 'The run was not finished, so this is what the finished part shows. ';
  const start = report.status === 'complete' ? '' : unfinished;
  const name = best === undefined ? '' : printable(best.label);
  const holds = recomputedOnly(best, report);
  const rest = (holds === '' ? '' : ` ${holds}`) + outdone(report) + tiedWords(tied, best, report);
  switch (code) {
    case 'use':
      return `${start}Use ${name}: ${gain(best, report)}, ${cost(best)}.${rest}`;
    case 'use-at-a-cost':
      return (
        `${start}${name} reaches ${target}, but not for nothing: ${price(best)}. ` +
        `Use it if the longer context is worth that.${rest}`
      );
    case 'none-reaches':
      return `${start}No candidate reaches ${target}.${furthest(best, report)}`;
    case 'keep':
      return start + keepWords(target, report);
    case 'unclear':
      return start + undecided(best, target, report) + rest;
  }
}

/** The reference is what to keep; a config with a scaling laid over it is another thing. */
function keepWords(target: string, { candidates, reference }: Report): string {
  const needless = candidates.slice(1).some(({ verdict }) => verdict === 'not-needed')
    ? `all layers that rotate look back over a window only, so that ${target} bring them no new ` +
      'distances and no scaling helps. What the model makes of such lengths is not for RoPE to decide.'
    : `no scaling is needed for ${target}.`;
  const own = candidates.find(({ label, groups }) => {
    return label === 'as-configured' && groups.some(({ changed }) => changed);
  });
  if (!own && reference.alternative?.kind !== 'configured') {
    return `Keep the config as it is: ${needless}`;
  }
  const costs = own?.short ? `, ${cost(own)}` : '';
  return `Keep what the weights were trained with: ${needless} The config departs from it${costs}.`;
}

/** Why the config is not kept although its facts hold. */
function outdone({ candidates: [reference], target }: Report): string {
  const rung = reference && rungAt(reference, target.tokens);
  if (!rung || (reference.reach?.multiple ?? 0) < target.multiple) return '';
  return ` The reference keeps its facts there too, but its loss is ${nats(rung.lossChange.value)} nats.`;
}

function undecided(best: CandidateReport | undefined, target: string, report: Report): string {
  const rung = best && rungAt(best, report.target.tokens);
  const more =
    report.settings.preset === 'thorough'
      ? 'more --samples may'
      : '--preset thorough, or more --samples, may';
  if (!rung) {
    const advice = report.status === 'complete' ? `: ${more}` : '';
    return `The measurements do not decide whether any candidate reaches ${target}${advice}.`;
  }
  const found = `${percent(rung.accuracy.value)} of the facts`;
  const least = leastLoss(best, report);
  const start =
    least === ''
      ? `scores best: it finds ${found} at ${target}, ${cost(best)}.`
      : `may reach ${target}: it finds ${found} there, ${cost(best)}.`;
  return `${printable(best.label)} ${start} These contexts do not decide whether every distance holds there; ${more}.${least}`;
}

function gain(best: CandidateReport | undefined, report: Report): string {
  const rung = best && rungAt(best, report.target.tokens);
  const length = `${tokens(report.target.tokens)} tokens (${multiple(report.target.multiple)})`;
  return rung === undefined
    ? `it reaches ${length}`
    : `it reaches ${length}, where it finds ${percent(rung.accuracy.value)} of the facts`;
}

function cost(best: CandidateReport | undefined): string {
  const short = best?.short;
  if (short && holdsZero(short.lossChange) && holdsZero(short.accuracyChange)) {
    return 'at no measurable cost at the lengths that already worked';
  }
  return price(best);
}

/** The changes that are more than chance; both where neither is. */
function price(best: CandidateReport | undefined): string {
  const short = best?.short;
  if (!short) return 'and its cost at short lengths was not measured';
  const { lossChange, accuracyChange } = short;
  const loss = [`${nats(lossChange.value)} nats of loss`, holdsZero(lossChange)] as const;
  const accuracy = [
    `${points(accuracyChange.value)} of accuracy`,
    holdsZero(accuracyChange),
  ] as const;
  const both = [loss, accuracy];
  const sure = both.filter(([, chance]) => !chance);
  const named = list((sure.length > 0 ? sure : both).map(([words]) => words));
  return `with ${named} at the lengths that already worked`;
}

function holdsZero({ low, high }: Interval): boolean {
  return low <= 0 && high >= 0;
}

/** The farthest by the facts, and the best by the score where that is another. */
function furthest(best: CandidateReport | undefined, report: Report): string {
  const others = report.candidates.slice(1);
  if (!best?.reach) {
    const lost = others.length > 0 && others.every((c) => c.reach?.multiple === 0);
    return lost ? ' All lose facts inside the trained window already.' : '';
  }
  const words = ` ${printable(best.label)} comes furthest, to ${reachTokens(best.reach)} tokens.`;
  return words + leastLoss(best, report);
}

/** The candidate with the lowest score, where that is another than the one advised. */
function leastLoss(best: CandidateReport, { candidates }: Report): string {
  const [least] = ranked(candidates.slice(1));
  if (!least || least.label === best.label) return '';
  return ` ${printable(least.label)} loses least over all lengths, ${nats(least.score)} nats a token.`;
}

function tiedWords(
  tied: readonly string[],
  best: CandidateReport | undefined,
  { candidates }: Report,
): string {
  const isSame = (label: string): boolean => {
    const other = candidates.find((each) => each.label === label);
    return (
      best !== undefined &&
      JSON.stringify({ ...other, label: '' }) === JSON.stringify({ ...best, label: '' })
    );
  };
  const same = tied.filter(isSame).map(printable);
  const level = tied.filter((label) => !isSame(label)).map(printable);
  return (
    (same.length === 0
      ? ''
      : ` ${list(same)} ${same.length > 1 ? 'are' : 'is'} the same scaling.`) +
    (level.length === 0
      ? ''
      : ` ${list(level)} cannot be told apart from it at this number of samples.`)
  );
}

/** What to write into the config for the recommended candidate, as text to paste. */
function settingsBlocks(report: Report): readonly Block[] {
  const { write, candidate, code } = report.recommendation;
  const block = write !== undefined && Object.keys(write).length > 0 ? blockToWrite(write) : [];
  const advised = code === 'use' || code === 'use-at-a-cost';
  // Only what a shell takes as it stands; a JSON candidate is what to write already.
  if (!advised || candidate === null || !/^[a-z0-9][\w.:=+-]*$/.test(candidate)) return block;
  if (candidate.startsWith('json:')) return block;
  const emit = `rope-eval emit <config> ${candidate} --target ${report.target.tokens}`;
  const what =
    block.length > 0
      ? 'Versions that read it, and settings of engines'
      : candidate === 'as-configured'
        ? 'The config says it already; for engines'
        : 'What to write, for transformers and for engines';
  return [...block, ...paragraphs([`${what}: ${emit}`])];
}

/** Keys are paths, all into one object: `text_config.rope_scaling` is to stand in text_config. */
function blockToWrite(write: Readonly<Record<string, unknown>>): readonly Block[] {
  const paths = Object.entries(write).map(([key, value]) => ({ path: key.split('.'), value }));
  const within = paths[0]?.path.slice(0, -1).join('.') ?? '';
  const keys = paths.map(
    ({ path, value }) => `${JSON.stringify(path.at(-1))}: ${printable(JSON.stringify(value))}`,
  );
  const where = within === '' ? '' : `, in its ${printable(within)}`;
  return [
    ...paragraphs([`Write into config.json${where}:`]),
    { kind: 'code', language: 'json', text: keys.join(',\n') },
  ];
}
