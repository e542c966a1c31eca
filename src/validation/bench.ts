import { loadFamily, loadLanguage, chooseMember, openPool } from '../engine/index.js';
import type { Engine, Family, Member } from '../engine/index.js';
import { RopeEvalError } from '../errors.js';
import { probeGeometry, type GroupScaling } from '../evaluation/tables.js';
import { criticalFraction } from '../geometry/critical.js';
import type { ProbeGeometry } from '../geometry/transfer.js';
import type { Language } from '../probes/language.js';
import type { RopeSpec } from '../rope/types.js';
import type { Geometry } from './types.js';

export interface ProbeOptions {
  readonly threads: number;
  readonly seed: number;
  /** Name of a probe model; otherwise the nearest. */
  readonly member?: string;
}

/** One probe model, ready to run on the scalings of one geometry. */
export interface Bench {
  readonly engine: Engine;
  readonly member: Member;
  readonly inRange: boolean;
  /** The member, as the geometry's scalings are carried over to it. */
  readonly probe: ProbeGeometry;
  readonly language: Language;
  readonly geometry: Geometry;
  readonly seed: number;
}

function named(family: Family, name: string): Member {
  const found = family.members.find((m) => m.name === name);
  if (found) return found;
  const names = family.members.map((m) => m.name).join(', ');
  throw new RopeEvalError(`no probe model is called "${name}"; there are ${names}`);
}

/**
 * Opens the member nearest to a geometry, and closes it after the work.
 *
 * @param longest window multiple that it will be given
 */
export async function withBench<T>(
  geometry: Geometry,
  options: ProbeOptions,
  longest: number,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const family = await loadFamily();
  const { theta, window, rotaryShare } = geometry;
  const likeness = { criticalFraction: criticalFraction(theta, window), rotaryShare };
  const nearest = chooseMember(family, likeness);
  const member = options.member === undefined ? nearest.member : named(family, options.member);
  const language = await loadLanguage(family);
  const { threads, seed } = options;
  const request = { member: member.name, device: 'cpu', threads } as const;
  const engine = await openPool(request, longest * member.window);
  const probe = probeGeometry(family, member, referenceOf(geometry), window, nearest.below);
  try {
    const { inRange } = nearest;
    return await work({ engine, member, inRange, probe, language, geometry, seed });
  } finally {
    await engine.close();
  }
}

export function referenceOf({ theta, rotaryDim }: Geometry): RopeSpec {
  return { type: 'default', theta, rotaryDim };
}

export function scalingOf(geometry: Geometry, candidate: RopeSpec): GroupScaling {
  const { window } = geometry;
  return { reference: referenceOf(geometry), candidate, window, softmaxScaleRatio: 1 };
}
