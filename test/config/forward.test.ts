import { describe, expect, it } from 'vitest';
import { RopeEvalError } from '../../src/errors.js';
import { type Finding, findingName } from '../../src/findings/index.js';
import type { LayerGroup } from '../../src/model/types.js';
import { computeRope } from '../../src/rope/registry.js';
import { goldenLines } from '../golden-cases.js';
import { read } from '../read.js';

interface Table {
  readonly pairs: number;
  /** Pair → angle at position 1, radians. */
  readonly angles: Readonly<Record<string, number>>;
  /** Multiplier on cos and sin. */
  readonly scaling: number;
}

/** A config, with the results of forward in its class's own rotary module, by length. */
interface ForwardCase {
  readonly id: string;
  readonly config: Record<string, unknown>;
  readonly label: string | null;
  readonly everyLength?: Table;
  readonly byLength?: Readonly<Record<string, Table>>;
  /** The exception that the class raises. */
  readonly refused?: string;
}

const CASES = goldenLines<ForwardCase>('forward.jsonl');

/** cos and sin are float32, which limits the relative precision of an angle. */
const TOLERANCE = 2e-6;

function groupOf({ config, label }: ForwardCase): LayerGroup {
  const { groups } = read(config);
  const group = label === null ? groups[0] : groups.find(({ layerType }) => layerType === label);
  if (group === undefined) throw new Error(`no table for ${label}`);
  return group;
}

function compare(group: LayerGroup, length: number, wanted: Table): void {
  const { invFreq, attentionScaling } = computeRope(group.rope, length);
  expect(invFreq.length).toBe(wanted.pairs);
  for (const [pair, angle] of Object.entries(wanted.angles)) {
    const found = invFreq[Number(pair)] ?? Number.NaN;
    expect(Math.abs(angle === 0 ? found : found / angle - 1)).toBeLessThan(TOLERANCE);
  }
  expect(Math.abs(attentionScaling / wanted.scaling - 1)).toBeLessThan(TOLERANCE);
}

/** Cases that we refuse although the class runs them. */
const NOT_READ = [
  // The class copies a flat block to both layer types, with the theta of one of them.
  /^dots3_note_text\/(linear|yarn) in rope_scaling/,
  // The class takes the whole head there, and qk_rope_head_dim everywhere else.
  /^dots3_note_text\/proportional/,
];

function isRead({ id }: ForwardCase): boolean {
  return !NOT_READ.some((pattern) => pattern.test(id));
}

describe('every class runs, at every length, the tables that are read', () => {
  it.each(
    CASES.filter((one) => one.refused === undefined && isRead(one)).map(
      (one) => [one.id, one] as const,
    ),
  )('%s', (_id, one) => {
    const group = groupOf(one);
    if (one.everyLength !== undefined) {
      for (const length of [1000, 20_000]) compare(group, length, one.everyLength);
    }
    for (const [length, table] of Object.entries(one.byLength ?? {})) {
      compare(group, Number(length), table);
    }
  });
});

describe('what is not read is refused', () => {
  it.each(CASES.filter((one) => !isRead(one)).map((one) => [one.id, one] as const))(
    '%s',
    (_id, one) => {
      expect(() => read(one.config)).toThrow(
        expect.objectContaining({ kind: 'unsupported_for_model' }),
      );
    },
  );
});

/** Classes that fail for reasons that the config cannot show, so there is no finding about them. */
const STOPS_UNSEEN = [
  // The rope type is fixed, but the class checks the keys of a block that it does not use.
  /^esm\//,
  // Multimodal modules require mrope_section, which text-only users may leave out.
  /^hunyuan_vl_text\/(default|linear|llama3|proportional|.* with head_dim)/,
  /^glm(4v|4v_moe|_image)_text\/proportional/,
];

describe('where a class stops', () => {
  const stopped = CASES.filter(
    ({ id, refused }) => refused !== undefined && !STOPS_UNSEEN.some((one) => one.test(id)),
  );

  it.each(stopped.map((one) => [one.id, one] as const))('%s is refused, or said', (_id, one) => {
    let findings: readonly Finding[];
    try {
      ({ findings } = read(one.config));
    } catch (error) {
      expect(error).toBeInstanceOf(RopeEvalError);
      return;
    }
    expect(findings.map(findingName)).toContain('class_fault');
  });
});
