import { resolve } from 'node:path';
import { json } from '../../report/reporters/json.js';
import type { Report } from '../../report/schema.js';
import type { Environment } from '../environment.js';
import { writeAtomically } from '../files.js';

/** Writes a run's report to the baseline; one that did not finish replaces nothing. */
export async function updateBaseline(
  path: string,
  report: Report,
  environment: Environment,
  notices: boolean,
): Promise<void> {
  if (report.status !== 'complete') {
    environment.stderr.write(`${path} is left as it was: the run is ${report.status}\n`);
    return;
  }
  const context = { color: false, columns: 100, plots: false };
  await writeAtomically(resolve(environment.cwd, path), json(report, context));
  if (notices) environment.stderr.write(`baseline written to ${path}\n`);
}
