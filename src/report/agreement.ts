import { option, type OptionName, type Words } from '../errors.js';
import { kindOfSubject, type SubjectConditions } from '../subjects/schema.js';
import type { Report } from './schema/report.js';

/** A condition on which two runs must agree before their numbers are compared or reused. */
export interface Condition<Run> {
  readonly what: string;
  /** The option that sets it, by its name in the API. */
  readonly option?: string;
  /** The value in words. undefined = the run does not say, which agrees with any value. */
  readonly read: (run: Run) => string | undefined;
}

/** A condition on which two runs differ. */
export interface Disagreement {
  readonly what: string;
  readonly option?: string;
  readonly there: string;
  readonly here: string;
}

/** The parts of a report that say how it was made. */
export type MadeBy = Pick<
  Report,
  'tool' | 'config' | 'reference' | 'target' | 'settings' | 'subject'
>;

/** Every condition on a report. The lists below pick those that each use needs. */
const OF_REPORTS = Object.freeze({
  version: { what: 'rope-eval', read: ({ tool }) => tool.version },
  config: { what: 'config', read: ({ config }) => `SHA-256 ${config.sha256.slice(0, 12)}…` },
  kind: { what: 'who answered', read: ({ subject }) => subject.kind },
  subject: { what: 'model', read: (run) => subjectOf(run).model },
  graph: { what: 'graph', read: (run) => subjectOf(run).graph },
  texts: { what: 'texts', option: 'text', read: (run) => subjectOf(run).texts },
  heldPairs: {
    what: 'held pairs of the probe',
    read: (run) => String(subjectOf(run).heldPairs),
  },
  nats: { what: 'nats', read: (run) => `${subjectOf(run).lossScale} to one of the probe’s` },
  reference: {
    what: 'reference',
    read: ({ reference: { kind, trainedWindow, ropeType, theta } }) =>
      `${kind}, trained window ${trainedWindow}, ${ropeType}, theta ${theta}`,
  },
  target: { what: 'target', option: 'target', read: ({ target }) => String(target.tokens) },
  lengths: {
    what: 'lengths',
    read: ({ settings }) => settings.ladder.map(({ tokens }) => tokens).join(' '),
  },
  preset: { what: 'preset', option: 'preset', read: ({ settings }) => settings.preset },
  samples: {
    what: 'samples',
    option: 'samples',
    read: ({ settings }) => String(settings.contexts.long),
  },
  // The number of contexts in one sample may differ between versions.
  contexts: { what: 'samples', option: 'samples', read: ({ settings }) => countsOf(settings) },
  seed: { what: 'seed', option: 'seed', read: ({ settings }) => String(settings.seed) },
  // Another device or number of threads rounds the last digits differently.
  device: { what: 'device', option: 'device', read: ({ settings }) => settings.device ?? 'none' },
  deviceAsked: { what: 'device asked for', read: ({ settings }) => settings.deviceAsked },
  threads: { what: 'threads', option: 'threads', read: ({ settings }) => String(settings.threads) },
} satisfies Record<string, Condition<MadeBy>>);

function subjectOf({ subject }: MadeBy): SubjectConditions {
  return kindOfSubject(subject).conditions(subject);
}

function countsOf({ contexts }: Report['settings']): string {
  return Object.entries(contexts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

type Name = keyof typeof OF_REPORTS;

function pick(...names: readonly Name[]): readonly Condition<MadeBy>[] {
  return Object.freeze(names.map((name): Condition<MadeBy> => OF_REPORTS[name]));
}

/** What saved scores depend on. Candidates are left out, because a new scaling is simply run. */
export const RESUMED = pick(
  ...([
    'version',
    'config',
    'reference',
    'target',
    'lengths',
    'preset',
    'samples',
    'seed',
  ] as const),
  ...(['device', 'deviceAsked', 'threads', 'kind', 'subject', 'graph', 'texts'] as const),
);

/** What makes cells comparable: the same model was asked the same contexts at the same lengths. */
export const COMPARED = pick(
  ...(['kind', 'subject', 'graph', 'texts', 'heldPairs', 'nats'] as const),
  ...(['preset', 'contexts', 'seed', 'reference', 'lengths'] as const),
);

/** What all reports of one sweep share, whatever their configs. */
export const SWEPT = pick('preset', 'contexts', 'seed');

/** Lists the conditions on which two runs differ; empty if they agree. */
export function disagreements<Run>(
  conditions: readonly Condition<Run>[],
  there: Run,
  here: Run,
): readonly Disagreement[] {
  return conditions.flatMap(({ what, option: name, read }) => {
    const values = { there: read(there), here: read(here) };
    if (values.there === undefined || values.here === undefined) return [];
    if (values.there === values.here) return [];
    const named = name === undefined ? {} : { option: name };
    return [{ what, ...named, there: values.there, here: values.here }];
  });
}

/** Words disagreements, one line each, to follow a colon; `places` say where each run is. */
export function disagreementWords(
  all: readonly Disagreement[],
  places: readonly [there: string, here: string] = ['there', 'here'],
): readonly Exclude<Words, string>[number][] {
  return all.flatMap(({ what, option: name, there, here }): (string | OptionName)[] => [
    '\n  ',
    name === undefined ? what : option(name),
    `: ${there} ${places[0]}, ${here} ${places[1]}`,
  ]);
}
