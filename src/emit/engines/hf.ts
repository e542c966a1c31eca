import { effectiveTheta, type RopeSpecOf } from '../../rope/registry.js';
import { type Edit, nestedIn, ORIGINAL, shapeOf } from '../block.js';
import { type ConfigForm, formOf, hfPatch, type HfPatch, needsThreeKeys } from '../hf-patch.js';
import { coverageNotes, isUnchanged, maxPositionsFor, staticNotes } from '../lengths.js';
import { blockJson } from '../served.js';
import {
  type Answer,
  atLeast,
  compareVersions,
  type EmitInput,
  type Emitter,
  type Note,
  parseVersion,
  type Setting,
  type Version,
} from '../types.js';

/**
 * The versions of transformers 4 that compute what a `rope_scaling` says. The code of YaRN and
 * longrope changed within 4, and with it the keys that count. Source: `modeling_rope_utils.py` in
 * one release of each minor version from 4.45 to 4.57, and in 5.23.0.
 */
export interface V4Versions {
  readonly versions: string;
  readonly eras: readonly Era[];
  readonly notes: readonly Note[];
}

/** Finds the versions that read the patched file as intended. */
export function v4Versions(input: EmitInput, max = maxPositionsFor(input)): V4Versions {
  const { rope } = input.groups[0];
  const exceptions = EXCEPTIONS.filter(({ holds }) => holds(input));
  const latest = exceptions
    .map(({ since }) => since)
    .sort()
    .at(-1);
  if (latest !== undefined) {
    const notes = exceptions.map(({ why }) => why);
    return inEras([{ from: latest, holds: true }], notes);
  }
  if (rope.type === 'yarn') return yarnVersions(rope, max);
  if (rope.type === 'longrope') return longropeVersions(rope, max);
  return inEras([{ from: '4.45', holds: true }]);
}

/** Classes of transformers 4 that interpret a block differently or fail on it. Each was run. */
const EXCEPTIONS: readonly {
  readonly holds: (input: EmitInput) => boolean;
  readonly since: string;
  readonly why: string;
}[] = Object.freeze([
  {
    holds: ({ geometry, groups }: EmitInput) =>
      geometry.modelType.startsWith('hunyuan') && groups[0].rope.type === 'dynamic',
    since: '5.0',
    why: 'transformers 4 takes alpha out of every dynamic block of this class, and fails without it.',
  },
  {
    holds: ({ geometry, groups }: EmitInput) =>
      geometry.modelType === 'olmo3' &&
      effectiveTheta(groups[0].rope) !== geometry.groups[0]?.unscaled.theta,
    since: '5.0',
    why: 'transformers 4 gives the theta beside the block to the sliding layers as well.',
  },
  {
    holds: ({ geometry, groups }: EmitInput) =>
      geometry.modelType === 'gpt_oss' && groups[0].rope.type === 'llama3',
    since: '4.56',
    why: 'transformers 4.55 fails on a llama3 block of this class.',
  },
  {
    holds: (input: EmitInput) => needsThreeKeys(input) && input.groups[0].partial !== undefined,
    since: '4.51',
    why: 'transformers 4.45 rotates whole heads of this class, whatever partial_rotary_factor says.',
  },
  {
    holds: (input: EmitInput) => {
      const { rope } = input.groups[0];
      return (
        needsThreeKeys(input) &&
        rope.type === 'longrope' &&
        (rope.attentionFactor !== undefined ||
          rope.factor !== maxPositionsFor(input) / rope.originalMaxPositions)
      );
    },
    since: '5.0',
    why: 'transformers 4 takes three keys in a longrope block of this class and makes the factor of the two windows.',
  },
]);

/** Whether a version of transformers reads the `rope_scaling` as intended. */
function holdsIn({ eras }: V4Versions, version: Version): boolean {
  // An era ends with the last patch release of a minor version.
  const [major, minor] = version;
  return eras.some(
    ({ from, to, holds }) =>
      holds &&
      atLeast(version, from) &&
      (to === undefined || compareVersions([major, minor, 0], parseVersion(to)) <= 0),
  );
}

function inEras(eras: readonly Era[], ignored: readonly string[] = []): V4Versions {
  const notes = ignored.map((text): Note => ({ kind: 'ignores', text }));
  return { versions: spans(eras), eras, notes };
}

interface Era {
  readonly from: string;
  /** Undefined: the era has not ended. */
  readonly to?: string;
  readonly holds: boolean;
}

function yarnVersions(rope: RopeSpecOf<'yarn'>, max: number): V4Versions {
  const original = rope.originalMaxPositions;
  const stretched = original * rope.factor;
  const sameStart = original === max;
  const sameFactor = max === stretched;
  const hasMscale = rope.mscale !== undefined || rope.mscaleAllDim !== undefined;
  const notes: string[] = [];
  if (!sameStart) {
    notes.push(
      `transformers 4.45 to 4.50 do not read original_max_position_embeddings: YaRN's ramp starts from max_position_embeddings there, ${max} in place of ${original}.`,
    );
  }
  if (!sameFactor) {
    const got = Number((max / original).toPrecision(6));
    notes.push(
      `transformers 4.51 to 4.55 replace the factor by max_position_embeddings / original_max_position_embeddings, here ${got}${got === 1 ? ': no scaling at all' : ''}. There max_position_embeddings must be ${stretched}.`,
    );
  }
  if (hasMscale) notes.push('transformers 4.45 to 4.50 do not read mscale and mscale_all_dim.');
  if (!rope.truncate) notes.push('transformers 4.45 to 4.54 do not read truncate.');
  return inEras(
    [
      { from: '4.45', to: '4.50', holds: sameStart && !hasMscale && rope.truncate },
      { from: '4.51', to: '4.54', holds: sameFactor && rope.truncate },
      { from: '4.55', to: '4.55', holds: sameFactor },
      { from: '4.56', holds: true },
    ],
    notes,
  );
}

/** Up to 4.57 the factor is max / original if the top level has the original window. */
function longropeVersions(rope: RopeSpecOf<'longrope'>, max: number): V4Versions {
  const stretched = rope.originalMaxPositions * rope.factor;
  // The factor only decides the attention scaling.
  if (max === stretched || rope.attentionFactor !== undefined) {
    return inEras([{ from: '4.48', holds: true }]);
  }
  const replaced = inEras(
    [{ from: '5.0', holds: true }],
    [
      `transformers 4 replaces the factor by max_position_embeddings / original_max_position_embeddings, and its attention scaling follows. There max_position_embeddings must be ${stretched}.`,
    ],
  );
  return { ...replaced, versions: 'transformers 5, which converts it when it loads' };
}

/** Lists the eras that hold, with neighbours merged: `transformers 4.45 to 4.50, 4.56 and later` */
function spans(eras: readonly Era[]): string {
  const joined: Era[] = [];
  let last: Era | undefined;
  for (const era of eras) {
    if (era.holds && last?.holds) joined[joined.length - 1] = { ...era, from: last.from };
    else if (era.holds) joined.push(era);
    last = era.holds ? joined.at(-1) : era;
  }
  const texts = joined.map(({ from, to }) => {
    if (to === undefined) return `${from} and later`;
    return from === to ? from : `${from} to ${to}`;
  });
  return `transformers ${texts.join(', ')} (5 converts it when it loads)`;
}

/** Writes config.json itself, in both forms that transformers reads. */
export const hf = Object.freeze<Emitter>({
  aliases: ['transformers', 'huggingface'],
  versions: { oldest: '4.45', newest: '5.24' },
  emit: (input, version) => {
    const answer = (settings: readonly Setting[], notes: readonly Note[] = []): Answer => {
      return { ok: true, settings, notes: [...notesOf(input), ...notes] };
    };
    if (isUnchanged(input) && input.geometry.maxPositions >= input.length) {
      return { ok: true, settings: [], notes: [UNCHANGED, ...notesOf(input)] };
    }
    const { prefix } = shapeOf(input.raw);
    const json = (title: string, versions: string, edits: readonly Edit[]): Setting => {
      return { title, versions, kind: 'json', text: patchText(edits, prefix) };
    };
    const early = earlyYarn(input, version);
    if (early !== undefined) {
      return answer([json('config.json, rope_scaling', early.versions, early.edits)], early.notes);
    }
    const v4 = hfPatch(input, 'v4');
    const v5 = hfPatch(input, 'v5');
    // If neither form can express the scaling, the reason of the newer one counts.
    if (!v4.ok && !v5.ok) return v5;
    if (v4.ok && isUnchanged(input)) {
      return answer([json('config.json', 'the versions that read the file', v4.edits)]);
    }
    const older = v4Versions(input);
    const settings: Setting[] = [];
    if (v4.ok && holdsIn(older, version)) {
      settings.push(json('config.json, rope_scaling', older.versions, v4.edits));
    }
    // Long lists are printed only once, because transformers 5 converts the older form when it
    // loads.
    const repeats = settings.length > 0 && input.groups[0].rope.type === 'longrope';
    if (v5.ok && !repeats && atLeast(version, '5.0')) {
      settings.push(json('config.json, rope_parameters', 'transformers 5', v5.edits));
    }
    if (settings.length > 0) return answer(settings, v4.ok ? older.notes : []);
    return {
      ok: false,
      reason: `transformers ${version.join('.')} does not read rope_parameters, and would make something else of a rope_scaling`,
      instead: `What holds: ${v4.ok ? older.versions : 'transformers 5'}.`,
    };
  },
});

/**
 * Makes the patch for YaRN up to 4.50, where the ramp starts from `max_position_embeddings`, so
 * that this must stay at the original window. Of the later versions, only those since 4.56 also
 * read this patch as intended.
 */
function earlyYarn(input: EmitInput, version: Version): V4Patch | undefined {
  const { rope } = input.groups[0];
  if (rope.type !== 'yarn' || atLeast(version, '4.51')) return undefined;
  const patch = hfPatch(input, 'v4');
  const early = v4Versions(input, rope.originalMaxPositions);
  if (!patch.ok || !holdsIn(early, version)) return undefined;
  const limit = 'max_position_embeddings';
  const { at, prefix } = shapeOf(input.raw);
  const others = patch.edits.filter(({ path }) => path.at(-1) !== limit);
  const stays = at[limit] === rope.originalMaxPositions;
  const window = { path: [...prefix, limit], value: rope.originalMaxPositions };
  return { ...early, edits: stays ? others : [...others, window] };
}

interface V4Patch extends V4Versions {
  readonly edits: readonly Edit[];
}

/**
 * Makes the edits of config.json that one version of transformers reads as intended.
 *
 * @param form asked for; default: that of the file, if the version reads it
 */
export function patchFor(
  input: EmitInput,
  version: Version,
  form?: ConfigForm,
): HfPatch & { readonly form: ConfigForm } {
  const five = atLeast(version, '5.0');
  const chosen = form ?? (five ? formOf(input) : 'v4');
  const who = `transformers ${version.join('.')}`;
  const refused = (reason: string, instead: string) =>
    ({ ok: false, form: chosen, reason, instead }) as const;
  if (chosen === 'v5') {
    return five
      ? { ...hfPatch(input, 'v5'), form: 'v5' }
      : refused(`${who} does not read rope_parameters`, 'Write it as --form v4.');
  }
  const early = earlyYarn(input, version);
  if (early !== undefined) return { ok: true, form: 'v4', edits: early.edits };
  const patch = hfPatch(input, 'v4');
  const held = v4Versions(input);
  const exceptional = EXCEPTIONS.some(({ holds }) => holds(input));
  if (!patch.ok || (isUnchanged(input) && !exceptional)) return { ...patch, form: 'v4' };
  return holdsIn(held, version)
    ? { ...patch, form: 'v4' }
    : refused(`${who} would make something else of it`, `What holds: ${held.versions}.`);
}

const UNCHANGED: Note = Object.freeze({
  kind: 'derives',
  text: 'config.json says it already: there is nothing to change.',
});

function notesOf(input: EmitInput): Note[] {
  const { rope } = input.groups[0];
  if (rope.type === 'dynamic') {
    return [
      ...coverageNotes(input),
      {
        kind: 'derives',
        text: `Equal to no scaling up to ${rope.maxPositions} tokens, then recomputed for the longest length seen; keys already in the cache keep the frequencies they were written with.`,
      },
    ];
  }
  const notes = [...coverageNotes(input), ...staticNotes(input)];
  if (rope.type === 'longrope') {
    notes.push({
      kind: 'derives',
      text: `Switches from the short to the long factors above ${rope.originalMaxPositions} tokens; a cache filled before the switch does not match the table after it.`,
    });
  }
  return notes;
}

/**
 * Writes the edited keys as one JSON object, nested as in the file; null disables a key. An
 * original window that no block needs any more may stay, because transformers 5 refuses null there.
 */
function patchText(edits: readonly Edit[], prefix: readonly string[]): string {
  const entries = edits.flatMap(({ path, value }) => {
    const key = path.at(-1) ?? '';
    const stays = value === undefined && key === ORIGINAL;
    return stays ? [] : [[key, value ?? null] as const];
  });
  return blockJson(nestedIn(prefix, Object.fromEntries(entries)));
}
