import { z } from 'zod';
import { option, RopeEvalError, words } from '../errors.js';
import { isRecord, parseConfig, type UnknownRecord } from '../json/parse.js';
import { type Condition, disagreements, disagreementWords, SWEPT } from '../report/agreement.js';
import { ReportSchema, upgradeReport } from '../report/schema/report.js';

/** Part `index` of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Reads `1/4`. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.count >= 1 && shard.index >= 1 && shard.index <= shard.count)) {
    throw new RopeEvalError('bad_shard', {
      option: 'shard',
      value: `'${text}'`,
      predicate: 'is not a part of a whole',
      hint: 'Write 1/4 for the first of four parts.',
    });
  }
  return shard;
}

/**
 * The shard's share of a list. Paths are sorted and dealt in turn, so that every machine that sees
 * the same files makes the same shards, and neighbours (sizes of one model) end up in different
 * ones.
 */
export function shardOf(paths: readonly string[], shard: Shard): readonly string[] {
  return [...new Set(paths)]
    .sort((a, b) => (a < b ? -1 : 1))
    .filter((_, position) => position % shard.count === shard.index - 1);
}

/** The number of items that a shard takes from a list of `total`. */
export function shardSize(total: number, { index, count }: Shard): number {
  return Math.max(0, Math.ceil((total - index + 1) / count));
}

/** Version of the file. It rises whenever that of the report does, see docs/json.md. */
export const SWEEP_SCHEMA_VERSION = '2.0';

/** Versions whose parts can be merged. What a later version added is optional. */
const READABLE_VERSIONS = ['1.0', '1.1', SWEEP_SCHEMA_VERSION] as const;

/** Why a config could not be evaluated, in the words of the error. */
const SweepErrorSchema = z.strictObject({
  kind: z.string(),
  message: z.string(),
  exitCode: z.number().int(),
});

const SweepEntrySchema = z
  .strictObject({
    config: z.string().describe('Path, as found; entries are sorted by it.'),
    report: ReportSchema.optional(),
    error: SweepErrorSchema.optional(),
  })
  .refine((entry) => (entry.report === undefined) !== (entry.error === undefined), {
    message: 'an entry has either a report or an error',
  });

/** What `sweep` writes for one shard, or for all of them after `merge`. */
export const SweepSchema = z.strictObject({
  schemaVersion: z.enum(READABLE_VERSIONS),
  tool: z.strictObject({ name: z.literal('rope-eval'), version: z.string() }),
  /** What was asked for; since 1.1. Preset, seed and contexts are in each report. */
  settings: z
    .strictObject({
      target: z.number().int().nullable().describe('Tokens; null: 4 x each trained window.'),
      candidates: z
        .array(z.string())
        .nullable()
        .describe('As written; null: the usual set of each model.'),
    })
    .optional(),
  /** `interrupted`: only some of the configs are finished. */
  status: z.enum(['complete', 'interrupted']),
  /** Numbers of the shards that this file contains, and how many there are in all. */
  shards: z.strictObject({ count: z.number().int(), present: z.array(z.number().int()) }),
  configsTotal: z.number().int().describe('Configs in all shards together.'),
  entries: z.array(SweepEntrySchema),
});

export type SweepEntry = z.infer<typeof SweepEntrySchema>;
export type Sweep = z.infer<typeof SweepSchema>;

/** Converts reports of older versions to the present one. */
function upgradeEntries(sweep: UnknownRecord): UnknownRecord {
  const { entries } = sweep;
  if (!Array.isArray(entries)) return sweep;
  const upgraded = (entry: unknown): unknown =>
    isRecord(entry) && isRecord(entry['report'])
      ? { ...entry, report: upgradeReport(entry['report']) }
      : entry;
  return { ...sweep, entries: entries.map(upgraded) };
}

/**
 * Reads one part of a sweep.
 *
 * @throws RopeEvalError `bad_sweep`
 */
export function parseSweep(text: string, source: string): Sweep {
  const value = upgradeEntries(parseConfig(text, { source }));
  const parsed = SweepSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const hint =
    isRecord(value) && Object.hasOwn(value, 'candidates')
      ? 'This is a single report; merge takes the files that rope-eval sweep writes.'
      : 'Make one with rope-eval sweep … -o part.json.';
  throw new RopeEvalError('bad_sweep', {
    file: source,
    predicate: 'is not a part of a sweep',
    hint,
  });
}

export interface Merged {
  readonly sweep: Sweep;
  /** Shards that none of the files contains. */
  readonly missing: readonly number[];
  /** Files that were interrupted before their last config. */
  readonly interrupted: readonly string[];
}

interface Part {
  readonly source: string;
  readonly sweep: Sweep;
}

/**
 * Merges the parts of a sweep.
 *
 * @throws RopeEvalError `not_comparable` (exit 3) if the parts come from different sweeps, and
 *   `duplicate_shard` if one shard comes twice
 */
export function mergeSweeps(parts: readonly Part[]): Merged {
  const [first] = parts;
  if (!first) throw new RopeEvalError('usage', { problem: 'merge needs at least one file' });
  parts.forEach((part, index) => {
    for (const other of parts.slice(0, index)) assertSameSweep(other, part);
  });
  const present = shardsOf(parts);
  const { count } = first.sweep.shards;
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const missing = all.filter((shard) => !present.includes(shard));
  const interrupted = parts.filter(({ sweep }) => isShort(sweep));
  return {
    sweep: {
      ...first.sweep,
      schemaVersion: SWEEP_SCHEMA_VERSION,
      status: missing.length === 0 && interrupted.length === 0 ? 'complete' : 'interrupted',
      shards: { count, present },
      entries: parts.flatMap(({ sweep }) => sweep.entries).sort(byConfig),
    },
    missing,
    interrupted: interrupted.map(({ source }) => source),
  };
}

/** Lists the shards of all parts in order. @throws RopeEvalError `duplicate_shard` */
function shardsOf(parts: readonly Part[]): number[] {
  const seen = new Map<number, string>();
  for (const { source, sweep } of parts) {
    for (const shard of sweep.shards.present) {
      const other = seen.get(shard);
      if (other !== undefined) {
        throw new RopeEvalError('duplicate_shard', {
          file: source,
          predicate: `and ${other} both hold shard ${shard}/${sweep.shards.count}`,
        });
      }
      seen.set(shard, source);
    }
  }
  return [...seen.keys()].sort((a, b) => a - b);
}

/**
 * Whether configs of a part's own shards are missing. Its status does not tell: a merged part is
 * also `interrupted` if it never had some of the shards.
 */
function isShort({ entries, shards, configsTotal }: Sweep): boolean {
  const sizes = shards.present.map((index) => shardSize(configsTotal, { ...shards, index }));
  return entries.length < sizes.reduce((sum, size) => sum + size, 0);
}

/** Conditions on two parts. A value that an older version did not record is skipped. */
const CONDITIONS: readonly Condition<Sweep>[] = Object.freeze([
  { what: 'rope-eval version', read: ({ tool }) => tool.version },
  { what: 'number of shards', read: ({ shards }) => String(shards.count) },
  { what: 'number of configs', read: ({ configsTotal }) => String(configsTotal) },
  // All reports of a part share these.
  ...SWEPT.map(({ read, ...named }): Condition<Sweep> => ({
    ...named,
    read: ({ entries }) => {
      const first = entries.find(({ report }) => report)?.report;
      return first && read(first);
    },
  })),
  {
    what: 'target',
    option: 'target',
    read: ({ settings }) =>
      settings && (settings.target === null ? 'of each window' : `${settings.target} tokens`),
  },
  {
    what: 'candidates',
    option: 'candidates',
    read: ({ settings }) => settings && (settings.candidates?.join(',') ?? 'the usual set'),
  },
]);

function assertSameSweep(a: Part, b: Part): void {
  const differences = disagreements(CONDITIONS, a.sweep, b.sweep);
  if (differences.length === 0) return;
  throw new RopeEvalError('not_comparable', {
    file: a.source,
    predicate: [
      `and ${b.source} are not parts of one sweep:`,
      ...disagreementWords(differences, [`in ${a.source}`, `in ${b.source}`]),
    ],
    hint: words`Make all parts with the same configs and options, and another ${option('shard')} each.`,
  });
}

function byConfig(a: SweepEntry, b: SweepEntry): number {
  return a.config < b.config ? -1 : 1;
}
