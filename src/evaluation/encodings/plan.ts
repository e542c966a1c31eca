import { parseCandidates, resolveCandidate } from '../../candidates/index.js';
import { readModel, requireRope } from '../../config/index.js';
import { chooseReference } from '../../config/reference.js';
import { ENCODINGS, type PositionInputs } from '../../encodings/index.js';
import { ownTable, type EncodingsCard, type RopeTwin, type Twin } from '../../engine/index.js';
import { computeRope, lengthDependent } from '../../rope/index.js';
import type { RopeTable } from '../../rope/types.js';
import type { EncodingRow } from '../../report/encodings-schema.js';

/** RoPE unscaled, and scaled as far as the ladder goes: what the other encodings stand beside. */
const ROPE_SCALINGS = Object.freeze(['none', 'dynamic:1', 'yarn:4', 'yarn:8']);

/** One row before it is run. */
export interface RowPlan {
  readonly head: Omit<EncodingRow, 'needle' | 'reach'>;
  /** (rungs that it has entries for) */
  readonly tables: readonly RopeTable[];
  /** What the model is told of positions beside the rotation. */
  readonly place: (length: number) => PositionInputs;
}

/** @param lengths the ladder, probe tokens */
export async function planTwin(
  twin: Twin,
  shape: EncodingsCard['shape'],
  lengths: readonly number[],
): Promise<RowPlan> {
  const encoding = ENCODINGS[twin.encoding];
  const table = await ownTable(twin);
  const entries = table && encoding.entries ? encoding.entries(table) : null;
  // A frequency of 0 turns nothing: cos = 1, sin = 0.
  const still = { invFreq: new Float64Array(shape.head_dim / 2), attentionScaling: 1 };
  return {
    head: {
      label: twin.encoding,
      encoding: twin.encoding,
      scaling: null,
      model: twin.name,
      weightsSha256: twin.weightsSha256,
      entries,
    },
    tables: lengths.filter((length) => entries === null || length <= entries).map(() => still),
    place: (length) => encoding.inputs(length, shape, table),
  };
}

/** RoPE: the probe is the model itself here, so that no scaling has to be carried over. */
export function planRope(
  member: RopeTwin,
  shape: EncodingsCard['shape'],
  lengths: readonly number[],
): RowPlan[] {
  const config = {
    model_type: 'llama',
    hidden_size: shape.heads * shape.head_dim,
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    max_position_embeddings: member.window,
    rope_theta: member.theta,
  };
  const model = requireRope(readModel(config));
  const reference = chooseReference(model);
  return parseCandidates(ROPE_SCALINGS.join(',')).map((definition): RowPlan => {
    const spec = resolveCandidate(definition, model, reference).specs[0]!;
    const only = computeRope(spec, member.window);
    const scaling = definition.method === 'none' ? null : definition.label;
    return {
      head: {
        label: scaling === null ? 'rope' : `rope ${scaling}`,
        encoding: 'rope',
        scaling,
        model: member.name,
        weightsSha256: member.weightsSha256,
        entries: null,
      },
      tables: lengths.map((length) => (lengthDependent(spec) ? computeRope(spec, length) : only)),
      place: () => ({}),
    };
  });
}
