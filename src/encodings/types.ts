/** What a model is told of positions other than by rotation; nothing: a causal mask alone. */
export interface PositionInputs {
  /** (length, width) added to the token embeddings. */
  readonly added?: Float32Array;
  /** (heads, length) added to the attention logits, by distance in tokens. */
  readonly bias?: Float32Array;
}

/** What a position encoding needs to know of a model. */
export interface EncodingShape {
  readonly width: number;
  readonly heads: number;
}

/** A table that was trained with the weights, row-major. */
export interface TrainedTable {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

export interface PositionEncoding {
  readonly title: string;
  /** Positions that it has an entry for; absent: any number. */
  readonly entries?: (table: TrainedTable) => number;
  /**
   * @param length tokens
   * @param table where the encoding is trained
   * @throws RangeError beyond the last entry: nothing is made up in its place
   */
  readonly inputs: (length: number, shape: EncodingShape, table?: TrainedTable) => PositionInputs;
}

/** The table of an encoding that cannot do without. */
export function required(table: TrainedTable | undefined, columns: number): TrainedTable {
  if (table?.columns !== columns || table.values.length !== table.rows * columns)
    throw new RangeError(`a trained table of ${columns} columns is needed`);
  return table;
}
