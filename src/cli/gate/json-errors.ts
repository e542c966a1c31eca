import { EXIT, RopeEvalError } from '../../errors.js';
import type { Environment } from '../environment.js';
import { InterruptedError } from '../interrupt.js';

/** With --json an error has a JSON form too: `make` turns every exit code into 2. */
export async function reportErrors(
  json: boolean,
  { stdout }: Environment,
  action: () => Promise<number>,
): Promise<number> {
  try {
    return await action();
  } catch (error) {
    const output = json ? errorOutput(error) : undefined;
    if (output) stdout.write(`${JSON.stringify(output, null, 2)}\n`);
    throw error;
  }
}

function errorOutput(error: unknown): object | undefined {
  if (error instanceof InterruptedError) {
    return { status: 'interrupted', exitCode: EXIT.interrupted, message: error.message };
  }
  if (!(error instanceof RopeEvalError)) return undefined;
  const { message, exitCode, kind, path, hint } = error;
  return { status: 'error', exitCode, kind, message, path, hint };
}
