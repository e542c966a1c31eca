import { trim } from '../numbers.js';
import type { Block } from '../rope/kind.js';
import { longropeAttentionScaling } from '../rope/kinds/longrope.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import { quote } from '../shell.js';
import { dynamicAsTheta } from './block.js';
import { formOf, hfPatch } from './hf-patch.js';
import { isUnchanged, maxPositionsFor } from './lengths.js';
import type { EmitInput, Note } from './types.js';

/** What serving engines share that take a JSON override of the config on their command line. */

/**
 * JSON for an override. Factors keep a point: vLLM and SGLang look for a float in linear scaling
 * and fail on an integer.
 */
export function overrideJson(overrides: Block): string {
  return JSON.stringify(overrides).replaceAll(/"factor":(\d+)(?=[,}])/g, '"factor":$1.0');
}

/**
 * Whether the file needs no override: it says the scaling already, in a way that the engine reads.
 * A linear factor may be written as an integer, and dynamic scaling is not what engines run.
 */
export function needsNoOverride(input: EmitInput): boolean {
  const { type } = input.groups[0].rope;
  return isUnchanged(input) && type !== 'dynamic' && type !== 'linear';
}

/**
 * Whether longrope's lists belong into the file: they are too long for a command line. vLLM and
 * SGLang make the temperature of the two windows alone, so that this is right only where the
 * factor says the same, and where the file can say it at all.
 */
export function belongsIntoFile(input: EmitInput): boolean {
  const { rope } = input.groups[0];
  if (rope.type !== 'longrope' || input.geometry.layout === 'interleaved') return false;
  if (!hfPatch(input, formOf(input)).ok) return false;
  const derived = longropeAttentionScaling(
    maxPositionsFor(input) / rope.originalMaxPositions,
    rope.originalMaxPositions,
  );
  return [1, rope.originalMaxPositions + 1].every(
    (length) => Math.abs(computeRope(rope, length).attentionScaling / derived - 1) < 1e-6,
  );
}

export const INTO_FILE: Note = Object.freeze({
  kind: 'needs',
  text: 'Write the block into config.json first (rope-eval emit … --write): its lists are too long for a command line.',
});

/** What runs in place of dynamic scaling, in engines that build one table at start. */
export function dynamicNote(rope: RopeSpec, length: number): Note[] {
  if (rope.type !== 'dynamic') return [];
  const { alpha } = dynamicAsTheta(rope, length);
  return [
    {
      kind: 'static',
      text:
        `Not dynamic: one table for every length, that of ${length} tokens, written as its theta. ` +
        `ntk:${trim(alpha, 4)} is what runs (alpha = ${trim(alpha, 4)}), and short requests pay for it.`,
    },
  ];
}

/** A command, one option a line where there are several. */
export function command(
  words: readonly string[],
  options: readonly (readonly [flag: string, value: string])[],
): string {
  const parts = options.map(([flag, value]) => `${flag} ${quote(value)}`);
  return [words.map(quote).join(' '), ...parts].join(' \\\n  ');
}

/** Numbers for a command line: all digits that matter, no exponent that a parser might not know. */
export function decimal(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
}

/** JSON for people: an object a line a key, but lists of numbers on as few lines as they fit. */
export function blockJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /\n( *)("(?:[^"\\]|\\.)*": )?\[\s*(-?[\d.eE+-]+(?:,\s*-?[\d.eE+-]+)*)\s*\]/g,
    (_, indent: string, key: string | undefined, numbers: string) =>
      `\n${indent}${key ?? ''}${numberList(numbers.split(/,\s*/), indent)}`,
  );
}

function numberList(numbers: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const number of numbers) {
    const longer = line === '' ? number : `${line}, ${number}`;
    if (longer.length > LIST_WIDTH) {
      lines.push(line);
      line = number;
    } else line = longer;
  }
  lines.push(line);
  return lines.length === 1
    ? `[${line}]`
    : `[\n${indent}  ${lines.join(`,\n${indent}  `)}\n${indent}]`;
}

/** Columns that a list of numbers may take beside its indentation. */
const LIST_WIDTH = 90;
