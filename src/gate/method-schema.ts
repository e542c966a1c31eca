import { z } from 'zod';

/** How the interval of a change between two reports was made. */
export const MethodSchema = z
  .enum(['contexts', 'intervals'])
  .describe(
    'contexts: a bootstrap over the contexts that both runs share; intervals: the two saved ' +
      'intervals alone, after.low - before.high to after.high - before.low, which is wider.',
  );
