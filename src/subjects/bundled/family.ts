import { z } from 'zod';
import { type Language, LanguageSchema } from '../../probes/language.js';
import { damaged, type ModelFiles, readBundled } from './files.js';

const MemberSchema = z.object({
  name: z.string(),
  criticalFraction: z.number(),
  theta: z.number(),
  window: z.number().int(),
  seed: z.number().int(),
  /** Share of each head that rotates. */
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

/** The model card, `family.json`. */
export async function loadFamily(): Promise<Family> {
  return parseBundled('family.json', await readBundled('family.json'), FamilySchema);
}

/** The files of a member of the family; undefined where there is none of that name. */
export async function filesOf(name: string): Promise<ModelFiles | undefined> {
  const { graphs, members } = await loadFamily();
  const member = members.find((each) => each.name === name);
  return member && { graphs, weights: member.weights, weightsSha256: member.weightsSha256 };
}

/** What the probe models speak. */
export async function loadLanguage(family: Family): Promise<Language> {
  const data = await readBundled('language.json', family.languageSha256);
  return parseBundled('language.json', data, LanguageSchema);
}

/**
 * What a bundled JSON file says.
 *
 * @throws RopeEvalError exit 3: a damaged installation is no mistake in a config
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

/** What a model is like, as far as it decides which probe model stands in for it. */
export interface Likeness {
  readonly criticalFraction: number;
  /** Share of each head that rotates. */
  readonly rotaryShare: number;
}

/** Half the usual step between members. */
const MARGIN = 0.04;
/**
 * Real text of smaller critical fractions than the smallest member's, down to this one, is ordered
 * by that member where pairs that such a model does not have are held (docs/experiments.md, "Small
 * critical fractions"). Nobody looked where a part of each head rotates.
 */
const SMALLEST = 0.05;

const nearest = <T>(list: readonly T[], distance: (x: T) => number): T =>
  list.reduce((best, x) => (distance(x) < distance(best) ? x : best));

/**
 * Of the members whose heads rotate as much as the model's, the one with the nearest critical
 * fraction; of several seeds, the first.
 *
 * @param wanted name of a member to take instead
 * @returns `range`: the critical fractions that those members are known to stand for, ends and half a
 *   step included; `below`: this one is smaller than that of every member whose heads rotate as much
 */
export function chooseMember(
  { members }: Family,
  { criticalFraction: c, rotaryShare }: Likeness,
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

/** Other seeds of a member's geometry, and the next geometries below and above it. */
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
