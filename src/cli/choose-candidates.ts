import {
  defaultCandidates,
  joinCandidates,
  longropeBlock,
  parseCandidates,
  resolveCandidate,
  type CandidateDefinition,
  type ResolvedCandidate,
} from '../candidates/index.js';
import { referenceSoftmaxScale } from '../config/reference.js';
import type { Reference } from '../config/types.js';
import { EXIT, RopeEvalError } from '../errors.js';
import type { CandidateSpecs } from '../geometry/geometry-report.js';
import type { Environment } from './environment.js';
import { loadConfig } from './load-config.js';
import type { NamedFile } from './protect-inputs.js';
import type { RopeModel } from './read-geometry.js';

export interface CandidateFlags {
  readonly candidates?: readonly string[];
  readonly factor?: readonly number[];
}

/** What --candidates names, or the default sets of every --factor; undefined: the usual set. */
export async function chooseCandidates(
  { candidates, factor }: CandidateFlags,
  { model, reference }: RopeModel,
  environment: Environment,
): Promise<readonly CandidateDefinition[] | undefined> {
  if (candidates !== undefined) {
    const definitions = joinCandidates(candidates.map(parseCandidates));
    return Promise.all(definitions.map((one) => withoutFile(one, reference, environment)));
  }
  if (factor === undefined) return undefined;
  const all = factor.flatMap((each) => defaultCandidates(each, model, reference));
  // The sets share what does not depend on the factor.
  return [...new Map(all.map((each) => [each.label, each])).values()];
}

/** The files that --candidates names. */
export function candidateFiles(candidates: readonly string[] | undefined): readonly NamedFile[] {
  return (candidates ?? [])
    .flatMap(parseCandidates)
    .flatMap((one) => (one.method === 'longrope' ? [{ name: one.label, path: one.file }] : []));
}

/**
 * One candidate on a model.
 *
 * @param option where it was written, for errors; '' = an argument
 */
export async function resolveOne(
  text: string,
  option: string,
  { model, reference }: RopeModel,
  environment: Environment,
): Promise<ResolvedCandidate> {
  const [first, ...rest] = parseCandidates(text);
  if (first === undefined || rest.length > 0) {
    const start = option === '' ? 'one candidate at a time' : `${option} takes one scaling`;
    throw new RopeEvalError(
      `${start}, found ${rest.length + 1}: ${text}`,
      EXIT.usage,
      'too_many_candidates',
      option,
    );
  }
  return resolveCandidate(await withoutFile(first, reference, environment), model, reference);
}

/** One candidate on the layers of a model, for the commands that show its tables. */
export async function candidateSpecs(
  text: string,
  read: RopeModel,
  environment: Environment,
): Promise<CandidateSpecs> {
  const { model, reference } = read;
  const { label, specs, softmaxScaleRatio } = await resolveOne(
    text,
    '--candidate',
    read,
    environment,
  );
  const softmaxScale = softmaxScaleRatio * referenceSoftmaxScale(model, reference);
  return { label, specs, softmaxScale };
}

/** `longrope:FILE` with the file read: the evaluation itself touches no files. */
async function withoutFile(
  definition: CandidateDefinition,
  reference: Reference,
  environment: Environment,
): Promise<CandidateDefinition> {
  if (definition.method !== 'longrope') return definition;
  const { text } = await loadConfig(definition.file, environment).catch((error: unknown) => {
    throw isMissing(error) ? noFactors(definition) : error;
  });
  const block = longropeBlock(definition, reference, { readFile: () => text });
  return { label: definition.label, method: 'block', block };
}

function isMissing(error: unknown): boolean {
  return error instanceof RopeEvalError && ['missing_file', 'hub_id'].includes(error.kind);
}

/** Every other scaling takes a factor there. */
function noFactors({ label, file }: { readonly label: string; readonly file: string }) {
  return new RopeEvalError(
    `${label}: longrope takes a JSON file with its factors, and there is no file ${file}`,
    EXIT.usage,
    'missing_file',
    '',
    'Such a file holds short_factor and long_factor, as in rope_scaling of a config: longrope:factors.json.',
  );
}
