import { required, type PositionEncoding } from './types.js';

/** One trained vector a position (GPT-2: `wpe`); a position beyond the table has none. */
export const learned: PositionEncoding = {
  title: 'learned absolute',
  entries: ({ rows }) => rows,
  inputs: (length, { width }, table) => {
    const { values, rows } = required(table, width);
    if (length > rows)
      throw new RangeError(`no entry beyond position ${rows}; asked for ${length}`);
    return { added: values.slice(0, length * width) };
  },
};
