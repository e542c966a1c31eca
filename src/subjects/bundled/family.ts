import { z } from 'zod';
import { type Language, LanguageSchema } from '../../probes/language.js';
import type { TrainedModel } from '../subject.js';
import { damaged, type ModelFiles, readBundled } from './files.js';

const MemberSchema = z.object({
  name: z.string(),
  criticalFraction: z.number(),
  theta: z.number(),
  window: z.number().int(),
  seed: z.number().int(),
  /** The share of each head that rotates. */
  rotaryShare: z.number(),
  weights: z.string(),
  weightsSha256: z.string(),
});

const FamilySchema = z.object({
  version: z.literal(1),
  shape: z.object({ heads: z.number().int(), head_dim: z.number().int() }),
  graphs: z.record(z.string(), z.string()),
  languageSha256: z.string(),
  members: z.array(MemberSchema).min(1),
});

export type Member = z.infer<typeof MemberSchema>;
export type Family = z.infer<typeof FamilySchema>;

/** Reads the model card, `family.json`. */
export async function loadFamily(): Promise<Family> {
  return parseBundled('family.json', await readBundled('family.json'), FamilySchema);
}

/** Returns the files of a member of the family; undefined if there is none of that name. */
export async function filesOf(name: string): Promise<ModelFiles | undefined> {
  const { graphs, members } = await loadFamily();
  const member = members.find((each) => each.name === name);
  return member && { graphs, weights: member.weights, weightsSha256: member.weightsSha256 };
}

/** Reads the language of the probe models. */
export async function loadLanguage(family: Family): Promise<Language> {
  const data = await readBundled('language.json', family.languageSha256);
  return parseBundled('language.json', data, LanguageSchema);
}

/**
 * Parses a bundled JSON file.
 *
 * @throws RopeEvalError exit 3, because a damaged installation is not a mistake in a config
 */
export function parseBundled<T>(name: string, data: Buffer, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    throw damaged(`${name} is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw damaged(`${name}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Half the usual step between members. */
const MARGIN = 0.04;
/**
 * The smallest critical fraction that the smallest member may stand for. Down to it, that member
 * ranks scalings as real text does, provided that the pairs which the model does not have are held
 * (docs/experiments.md, "Small critical fractions"). This has not been tested for partial rotary.
 */
const SMALLEST = 0.05;

const nearest = <T>(list: readonly T[], distance: (x: T) => number): T =>
  list.reduce((best, x) => (distance(x) < distance(best) ? x : best));

/**
 * Chooses the member that stands in for a model. Of the members with the nearest rotary share, it
 * is the one with the nearest critical fraction; of several seeds, the first.
 *
 * @param wanted name of a member to take instead
 * @returns `range`: the critical fractions that those members can stand for, from end to end plus
 *   half a step; `below`: whether the model's is smaller than that of every such member
 */
export function chooseMember(
  { members }: Family,
  { criticalFraction: c, rotaryShare }: Pick<TrainedModel, 'criticalFraction' | 'rotaryShare'>,
  wanted?: string,
): { member: Member; range: { from: number; to: number }; inRange: boolean; below: boolean } {
  const alike = nearest(members, (m) => Math.abs(m.rotaryShare - rotaryShare)).rotaryShare;
  const kin = members.filter((m) => m.rotaryShare === alike);
  const all = kin.map((m) => m.criticalFraction);
  const smallest = alike === 1 ? Math.min(SMALLEST, ...all) : Math.min(...all);
  const range = { from: smallest - MARGIN, to: Math.max(...all) + MARGIN };
  return {
    member:
      members.find((m) => m.name === wanted) ??
      nearest(kin, (m) => Math.abs(m.criticalFraction - c)),
    range,
    inRange: c >= range.from && c <= range.to,
    below: c < Math.min(...all),
  };
}

/** Returns the other seeds of a member's geometry, and the next geometries below and above it. */
export function neighboursOf({ members }: Family, member: Member): Member[] {
  const c = member.criticalFraction;
  const kin = members.filter((m) => m.rotaryShare === member.rotaryShare);
  const below = kin.filter((m) => m.criticalFraction < c);
  const above = kin.filter((m) => m.criticalFraction > c);
  const next = [
    Math.max(...below.map((m) => m.criticalFraction)),
    Math.min(...above.map((m) => m.criticalFraction)),
  ];
  return kin.filter(
    (m) =>
      m.name !== member.name &&
      (m.criticalFraction === c || (next.includes(m.criticalFraction) && m.seed === member.seed)),
  );
}
