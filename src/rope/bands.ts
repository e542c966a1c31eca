import { tokens, trim } from '../numbers.js';

/** Two bands of pairs, as YaRN and Llama 3 have them. */
export interface Bands {
  readonly factor: number;
  /** Tokens over which turns are counted. */
  readonly window: number;
  /** Pairs with more turns than this are left alone. */
  readonly kept: number;
  /** Pairs with fewer turns than this are divided by the factor. */
  readonly divided: number;
  /** What joins the two. */
  readonly between: string;
}

/** What YaRN and Llama 3 share: pairs are kept above a number of turns, divided below another. */
export function bandSentence(name: string, { factor, window, kept, divided, between }: Bands) {
  const joined = kept === divided ? '' : `, and ${between} joins the two`;
  return (
    `${name} with factor ${trim(factor, 4)}: ` +
    `pairs that turn more than ${times(kept)} in ${tokens(window)} tokens are left alone, those that turn ` +
    `less than ${times(divided)} are divided by ${trim(factor, 4)}${joined}.`
  );
}

function times(count: number): string {
  return count === 1 ? 'once' : `${trim(count, 2)} times`;
}
