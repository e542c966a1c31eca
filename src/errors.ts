/** Exit codes, the same for every command. */
export const EXIT = Object.freeze({
  ok: 0,
  gateFailed: 1,
  usage: 2,
  runtime: 3,
  interrupted: 130,
});

/**
 * An error for people: what is wrong, where, what was found, what would be right.
 * Anything else that is thrown is a defect of ours.
 */
export class RopeEvalError extends Error {
  override readonly name = 'RopeEvalError';

  constructor(
    message: string,
    readonly exitCode: 2 | 3 = EXIT.usage,
    /** Kind in machine-readable output, e.g. `missing_field`, `unknown_candidate`. */
    readonly kind: string = 'usage',
    /** Path in the config, policy or command line; '' = none. */
    readonly path: string = '',
    /** One line on what to do. */
    readonly hint: string = '',
  ) {
    super(message);
  }
}
