import type { Block } from '../rope/kind.js';
import { longropeAttentionScaling } from '../rope/kinds/longrope.js';
import { computeRope, type RopeSpec, type RopeSpecOf, scalingBlock } from '../rope/registry.js';
import { quote, trim } from '../text.js';
import {
  dynamicAsTheta,
  isUnsaid,
  keptKeys,
  nestedIn,
  sayIn,
  servedLongrope,
  type Support,
  temperatureOf,
  thetaBlock,
  type Unsaid,
  wholeBlock,
  yarnBase,
} from './block.js';
import { formOf, hfPatch } from './hf-patch.js';
import { isUnchanged, maxPositionsFor } from './lengths.js';
import type { EmitGroup, EmitInput, Note, Version } from './types.js';

/** The common parts of engines that accept a JSON override of the config on the command line. */

/** Factors keep a decimal point: vLLM and SGLang fail on an integer in linear scaling. */
function overrideJson(overrides: Block): string {
  return JSON.stringify(overrides).replaceAll(/"factor":(\d+)(?=[,}])/g, '"factor":$1.0');
}

/** Writes the option that sets keys of the config, under the path of the language model. */
export function overrideOption(
  flag: string,
  prefix: readonly string[],
  overrides: Block | undefined,
): readonly (readonly [flag: string, value: string])[] {
  return overrides === undefined ? [] : [[flag, overrideJson(nestedIn(prefix, overrides))]];
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

/** Whether every YaRN has its usual temperature, or the class reads another one itself. */
export function hasUsualTemperature({ groups, geometry }: EmitInput): boolean {
  return (
    geometry.attention.latent !== undefined ||
    groups.every(({ rope }) => rope.type !== 'yarn' || temperatureOf(rope) === undefined)
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

/** Writes a number with all significant digits and no exponent, which a parser might reject. */
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

/** The blocks that vLLM and SGLang share, because SGLang forked vLLM's rotary tables. */

/** Scalings that amount to a theta, which every class reads. */
export const THETA_ALONE: Support<Block> = Object.freeze({
  default: thetaBlock,
  ntk: thetaBlock,
  // The engines' own `dynamic` is one table built at start, and in vLLM since 0.22 no scaling at
  // all.
  dynamic: (rope, { length }) => ({
    rope_type: 'default',
    rope_theta: dynamicAsTheta(rope, length).theta,
  }),
});

/** The shared rope types. YaRN is missing: the two engines name its temperature differently. */
export const SERVED: Support<Block> = Object.freeze({
  ...THETA_ALONE,
  linear: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  llama3: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  longrope: servedLongrope,
});

export type SayYarn = NonNullable<Support<Block>['yarn']>;

/** Model families whose class builds its own table, whatever the block says. */
export interface Family {
  readonly has: (input: EmitInput) => boolean;
  readonly support: (version: Version) => Support<Block>;
}

/** DeepSeek's classes read mscale themselves, and treat all types but `default` as their YaRN. */
export const LATENT = Object.freeze<Family>({
  has: ({ geometry }) => geometry.attention.latent !== undefined,
  support: () => ({ ...THETA_ALONE, yarn: latentYarn }),
});

function latentYarn(rope: RopeSpecOf<'yarn'>): Block | Unsaid {
  if (!rope.truncate) return { unsaid: 'DeepSeek’s YaRN does not read truncate' };
  // An mscale of 0 removes the temperature from the tables and from the softmax.
  if (rope.attentionFactor === 1) return { ...yarnBase(rope), mscale: 0, mscale_all_dim: 0 };
  if (rope.attentionFactor !== undefined) {
    return { unsaid: 'DeepSeek’s YaRN does not read attention_factor' };
  }
  return { ...yarnBase(rope), ...scalingBlock(rope) };
}

/**
 * Models whose block divides the pairs among time, height and width. The sections are only read
 * beside these rope types.
 *
 * @param yarn how the engine expresses YaRN for these models
 */
export function multimodal(yarn: (version: Version) => SayYarn): Family {
  return {
    has: isMultimodal,
    support: (version) => ({ ...THETA_ALONE, yarn: yarn(version) }),
  };
}

export function isMultimodal(input: EmitInput): boolean {
  return 'mrope_section' in keptKeys(input, input.groups[0].layerType);
}

/** The whole block of a group as the engine's class reads it, or why no class reads it. */
export function servedBlock(
  group: EmitGroup,
  input: EmitInput,
  engine: { readonly support: Support<Block>; readonly families: readonly Family[] },
  version: Version,
): Block | Unsaid {
  const family = engine.families.find(({ has }) => has(input))?.support(version);
  const said = sayIn(family ?? engine.support, group.rope, input);
  if (!isUnsaid(said)) return wholeBlock(said, group, input);
  return family === undefined || Object.hasOwn(family, group.rope.type)
    ? said
    : { unsaid: `the class of ${input.geometry.modelType} does not take ${group.rope.type}` };
}
