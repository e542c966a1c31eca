import { finding } from '../finding-catalogue/index.js';
import type { RopeSpec } from '../rope/types.js';
import { BOUNDS } from './bounds.js';
import { fail, show } from './fail.js';
import { readLongrope } from './scaling-longrope.js';
import { readYarn } from './scaling-yarn.js';
import { originalWindow, readFactor } from './scaling-values.js';
import type { RopeBlock, ScalingContext } from './scaling.js';

export interface ScalingInput {
  readonly block: RopeBlock;
  readonly context: ScalingContext;
  readonly base: {
    readonly theta: number;
    readonly rotaryDim: number;
    readonly exponentDim?: number;
  };
}

export interface ScalingResult {
  readonly rope: RopeSpec;
  readonly originalMaxPositions: number | undefined;
}

export interface ScalingReader {
  /** Keys that this type reads, besides those common to all blocks. */
  readonly keys: readonly string[];
  readonly read: (input: ScalingInput) => ScalingResult;
}

/** Readers by rope type, as transformers names them. A Map: the type is untrusted. */
export const SCALING_READERS: ReadonlyMap<string, ScalingReader> = new Map<string, ScalingReader>([
  ['default', { keys: [], read: readDefault }],
  ['linear', { keys: ['factor'], read: readLinear }],
  ['dynamic', { keys: ['factor'], read: readDynamic }],
  [
    'yarn',
    {
      keys: [
        'factor',
        'original_max_position_embeddings',
        'attention_factor',
        'beta_fast',
        'beta_slow',
        'mscale',
        'mscale_all_dim',
        'truncate',
      ],
      read: readYarn,
    },
  ],
  [
    'llama3',
    {
      keys: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
      read: readLlama3,
    },
  ],
  [
    'longrope',
    {
      keys: [
        'short_factor',
        'long_factor',
        'factor',
        'original_max_position_embeddings',
        'attention_factor',
        'short_mscale',
        'long_mscale',
      ],
      read: readLongrope,
    },
  ],
  ['proportional', { keys: ['factor'], read: readProportional }],
]);

function readDefault({ base }: ScalingInput): ScalingResult {
  return { rope: { type: 'default', ...base }, originalMaxPositions: undefined };
}

function readLinear({ block, context, base }: ScalingInput): ScalingResult {
  const factor = readFactor(block.fields, context);
  return { rope: { type: 'linear', ...base, factor }, originalMaxPositions: undefined };
}

/**
 * Dynamic NTK. Hunyuan writes static NTK as `dynamic` with `alpha`; its dialect lists that key in
 * `extraKeys`, elsewhere it is unknown.
 */
function readDynamic({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  const factor = readFactor(fields, context);
  if (base.rotaryDim <= 2) {
    fail('invalid_value', fields.at('rope_type'), 'dynamic scaling needs more than one pair');
  }
  if (block.extraKeys?.includes('alpha') === true && fields.raw('alpha')) {
    const alpha = fields.number('alpha', { above: 0, max: BOUNDS.factor });
    if (alpha !== undefined) {
      return { rope: { type: 'ntk', ...base, alpha }, originalMaxPositions: undefined };
    }
  }
  if (!context.maxPositionsGiven) {
    fail(
      'missing_field',
      'max_position_embeddings',
      'is missing, and dynamic scaling starts where a sequence exceeds it',
    );
  }
  const { maxPositions } = context;
  return {
    rope: { type: 'dynamic', ...base, factor, maxPositions },
    originalMaxPositions: undefined,
  };
}

function readLlama3({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  const factor = readFactor(fields, context);
  const low = requiredTurns(block, 'low_freq_factor');
  const high = requiredTurns(block, 'high_freq_factor');
  if (high < low) {
    fail(
      'invalid_value',
      fields.at('high_freq_factor'),
      `${show(high)} is below low_freq_factor ${show(low)}`,
      'fast pairs are kept above high_freq_factor turns, slow ones are slowed below low_freq_factor',
    );
  }
  if (high === low) {
    context.findings.push(
      finding('zero_width_band', fields.at('high_freq_factor'), { value: high }),
    );
  }
  const original = originalWindow(block, context);
  if (original.given && original.value >= context.maxPositions) {
    context.findings.push(
      finding('original_not_below_max', original.path, {
        original: original.value,
        max: context.maxPositions,
      }),
    );
  }
  return {
    rope: {
      type: 'llama3',
      ...base,
      factor,
      lowFreqFactor: low,
      highFreqFactor: high,
      originalMaxPositions: original.value,
    },
    originalMaxPositions: original.given ? original.value : undefined,
  };
}

function requiredTurns(block: RopeBlock, key: string): number {
  const value = block.fields.number(key, { above: 0, max: BOUNDS.positions });
  if (value === undefined) {
    fail('missing_field', block.fields.at(key), 'is required for llama3 scaling');
  }
  return value;
}

function readProportional({ block, context, base }: ScalingInput): ScalingResult {
  const factor = block.fields.given('factor') ? readFactor(block.fields, context) : 1;
  return {
    rope: { type: 'proportional', ...base, partialRotaryFactor: block.partial ?? 1, factor },
    originalMaxPositions: undefined,
  };
}
