import { trim } from '../numbers.js';
import type { Block } from '../rope/kind.js';
import { longropeAttentionScaling } from '../rope/kinds/longrope.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import { quote } from '../shell.js';
import { dynamicAsTheta } from './block.js';
import { formOf, hfPatch } from './hf-patch.js';
import { isUnchanged, maxPositionsFor } from './lengths.js';
import type { EmitInput, Note } from './types.js';

/** The common parts of engines that accept a JSON override of the config on the command line. */

/**
 * Writes JSON for an override. Factors keep a decimal point, because vLLM and SGLang expect a float
 * in linear scaling and fail on an integer.
 */
export function overrideJson(overrides: Block): string {
  return JSON.stringify(overrides).replaceAll(/"factor":(\d+)(?=[,}])/g, '"factor":$1.0');
}

/**
 * Whether no override is needed because the file has the scaling in a form that the engine reads.
 * Linear factors may be integers in the file, and engines do not run dynamic scaling, so both need
 * an override.
 */
export function needsNoOverride(input: EmitInput): boolean {
  const { type } = input.groups[0].rope;
  return isUnchanged(input) && type !== 'dynamic' && type !== 'linear';
}

/**
 * Whether longrope's lists belong in the file, because they are too long for a command line. vLLM
 * and SGLang compute the temperature from the two windows alone, so this requires that the factor
 * gives the same temperature, and that the file can express the scaling.
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

/** Says what runs instead of dynamic scaling in engines that build one table at start. */
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

/** Writes a command, with one option on each line if there are several. */
export function command(
  words: readonly string[],
  options: readonly (readonly [flag: string, value: string])[],
): string {
  const parts = options.map(([flag, value]) => `${flag} ${quote(value)}`);
  return [words.map(quote).join(' '), ...parts].join(' \\\n  ');
}

/**
 * Writes a number for a command line, with all significant digits and no exponent, which a parser
 * might reject.
 */
export function decimal(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
}

/** Formats JSON for people: one key per line, but lists of numbers on as few lines as possible. */
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

/** Columns for a list of numbers, without its indentation. */
const LIST_WIDTH = 90;
