import type { Environment } from './environment.js';
import { EXIT } from '../errors.js';
import { explainFailure } from './explain-failure.js';
import { errorOutput, wantsJson } from './json-errors.js';
import { createProgram } from './program.js';

export { nodeEnvironment } from './environment.js';

/** Runs one command line; returns the exit code and never throws. */
export async function main(environment: Environment): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram({ environment, exitWith: (code) => (exitCode = code) });
  try {
    await program.parseAsync([...environment.argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    const code = await explainFailure(error, environment);
    const output = wantsJson(program, environment.argv) ? errorOutput(error, code) : undefined;
    if (output) environment.stdout.write(`${JSON.stringify(output, null, 2)}\n`);
    return code;
  }
}
