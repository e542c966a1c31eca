import { shapeOf, type ConfigShape } from './config-shape.js';
import { hfPatch } from './hf-edits.js';
import { v4Versions } from './hf-versions.js';
import { coverageNotes } from './notes.js';
import type { Edit } from './patch.js';
import type { EmitInput, Emitter, Note, Setting } from './types.js';

/** The config.json itself, in transformers' two forms. */
export const hf: Emitter = (input) => {
  const shape = shapeOf(input.raw);
  const v4 = hfPatch(input, 'v4');
  const v5 = hfPatch(input, 'v5');
  // Where neither form can say it, the newer one's reason is the one that counts.
  if (!v4.ok && !v5.ok) return { ...v5, engine: 'hf' };
  const { versions, notes } = v4Versions(input);
  const settings: Setting[] = [];
  if (v4.ok) {
    const text = patchText(v4.edits, shape);
    settings.push({ title: 'config.json, rope_scaling', versions, kind: 'json', text });
  }
  if (v5.ok) {
    const text = patchText(v5.edits, shape);
    const title = 'config.json, rope_parameters';
    settings.push({ title, versions: 'transformers 5', kind: 'json', text });
  }
  return {
    ok: true,
    engine: 'hf',
    settings,
    notes: [...notesOf(input), ...(v4.ok ? notes : [])],
  };
};

function notesOf(input: EmitInput): Note[] {
  const { rope } = input.groups[0];
  const notes = coverageNotes(input);
  if (rope.type === 'dynamic') {
    notes.push({
      kind: 'derives',
      text: `Equal to no scaling up to ${rope.maxPositions} tokens, then recomputed for the longest length seen; keys already in the cache keep the frequencies they were written with.`,
    });
  }
  if (rope.type === 'yarn' || rope.type === 'linear' || rope.type === 'ntk') {
    notes.push({
      kind: 'static',
      text: 'The same table at every length: short requests pay for it too.',
    });
  }
  if (rope.type === 'longrope') {
    notes.push({
      kind: 'derives',
      text: `Switches from the short to the long factors above ${rope.originalMaxPositions} tokens; a cache filled before the switch does not match the table after it.`,
    });
  }
  return notes;
}

/** The edited keys as one JSON object, nested as in the file. */
function patchText(edits: readonly Edit[], { prefix }: ConfigShape): string {
  const entries = edits.map(({ path, value }) => [path.at(-1) ?? '', value ?? null] as const);
  const inner: unknown = Object.fromEntries(entries);
  const whole = prefix.reduceRight<unknown>((value, key) => ({ [key]: value }), inner);
  return JSON.stringify(whole, null, 2);
}
