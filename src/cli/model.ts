import {
  type CandidateDefinition,
  defaultCandidates,
  joinCandidates,
  parseCandidates,
  type ResolvedCandidate,
} from '../candidates/definition.js';
import { longropeBlock, resolveCandidate } from '../candidates/resolve.js';
import { RopeEvalError } from '../errors.js';
import type { CandidateSpecs } from '../geometry/analyse.js';
import { referenceSoftmaxScale } from '../model/evidence.js';
import type { ReadConfig } from '../model/read-model.js';
import type { ModelGeometry, NotRope, Reference } from '../model/types.js';
import type { Environment } from './environment.js';
import type { NamedFile } from './files.js';
import { type BaseConfig, loadConfig, type LoadedConfig } from './inputs.js';
import type { ReferenceFlags } from './options.js';

/** A model with RoPE, and what its weights were trained with. */
export interface RopeModel {
  readonly model: ModelGeometry;
  /** The model that the reference was taken from: `model`, or its version before a change. */
  readonly before: ModelGeometry;
  readonly reference: Reference;
}

const READ = new WeakMap<LoadedConfig, ReadConfig>();

/** Parses and reads a loaded config, once for each config. */
export async function readConfigOf(config: LoadedConfig): Promise<ReadConfig> {
  const known = READ.get(config);
  if (known) return known;
  const { readConfig } = await import('../model/read-model.js');
  const read = readConfig(config.text, { source: config.source }, config.format);
  READ.set(config, read);
  return read;
}

/** Reads the config before a change, which commands name again. */
export async function readBaseOf(base: BaseConfig): Promise<ReadConfig> {
  return { ...(await readConfigOf(base)), argument: base.argument };
}

/**
 * Reads what the config says, without loading a runtime.
 *
 * @param base the config before a change, which gives the reference
 */
export async function readGeometry(
  config: LoadedConfig,
  flags: ReferenceFlags,
  base: LoadedConfig = config,
): Promise<RopeModel | NotRope> {
  const { isNotRope } = await import('../model/read-model.js');
  const { model } = await readConfigOf(config);
  return isNotRope(model) ? model : readRopeGeometry(config, flags, base);
}

export function usesRope(read: RopeModel | NotRope): read is RopeModel {
  return 'reference' in read;
}

/**
 * Reads the config for a command that only applies to models with RoPE.
 *
 * @throws RopeEvalError `not_rope`, or `not_comparable` for a base of other weights
 */
export async function readRopeGeometry(
  config: LoadedConfig,
  flags: ReferenceFlags,
  base: LoadedConfig = config,
): Promise<RopeModel> {
  const { requireRope } = await import('../model/read-model.js');
  const { assertSameHeads, referenceBefore } = await import('../model/evidence.js');
  const model = requireRope((await readConfigOf(config)).model);
  const before = requireRope((await readConfigOf(base)).model);
  assertSameHeads(model, before);
  return { model, before, reference: referenceBefore(model, before, flags) };
}

/** The candidates in --candidates; undefined if it was not given. */
export function namedCandidates(
  candidates: readonly string[] | undefined,
): readonly CandidateDefinition[] | undefined {
  return candidates && joinCandidates(candidates.map(parseCandidates));
}

/** The named candidates, or the default set of every --factor; undefined = the usual set. */
export async function chooseCandidates(
  named: readonly CandidateDefinition[] | undefined,
  factor: readonly number[] | undefined,
  { model, before, reference }: RopeModel,
  environment: Environment,
): Promise<readonly CandidateDefinition[] | undefined> {
  if (named !== undefined) {
    return Promise.all(named.map((one) => withoutFile(one, reference, environment)));
  }
  if (factor === undefined) return undefined;
  const all = factor.flatMap((each) => defaultCandidates(each, model, reference, before));
  // Candidates that do not depend on the factor are in every set but kept only once.
  return joinCandidates([[...new Map(all.map((each) => [each.label, each])).values()]]);
}

export function candidateFiles(
  named: readonly CandidateDefinition[] | undefined,
): readonly NamedFile[] {
  return (named ?? []).flatMap((one) =>
    one.method === 'longrope' ? [{ name: one.label, path: one.file }] : [],
  );
}

/**
 * Resolves exactly one candidate on a model.
 *
 * @param option the option that names it, for errors; undefined = an argument
 */
export async function resolveOne(
  text: string,
  option: string | undefined,
  { model, before, reference }: RopeModel,
  environment: Environment,
): Promise<ResolvedCandidate> {
  const [first, ...rest] = parseCandidates(text);
  if (first === undefined || rest.length > 0) {
    throw new RopeEvalError('too_many_candidates', {
      ...(option !== undefined && { option }),
      problem: `one scaling is needed, found ${rest.length + 1}: ${text}`,
    });
  }
  const definition = await withoutFile(first, reference, environment);
  return resolveCandidate(definition, model, reference, { before });
}

/** Resolves one candidate into the tables of each layer, for commands that show them. */
export async function candidateSpecs(
  text: string,
  read: RopeModel,
  environment: Environment,
): Promise<CandidateSpecs> {
  const { before, reference } = read;
  const resolved = await resolveOne(text, 'candidate', read, environment);
  const { label, specs, softmaxScaleRatio } = resolved;
  return {
    label,
    specs,
    softmaxScale: softmaxScaleRatio * referenceSoftmaxScale(before, reference),
  };
}

/** Replaces `longrope:FILE` by the contents of the file, because the evaluation reads no files. */
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

/** Explains that longrope takes a file where every other scaling takes a factor. */
function noFactors({ label, file }: { readonly label: string; readonly file: string }) {
  return new RopeEvalError('missing_file', {
    candidate: label,
    problem: `longrope takes a JSON file with its factors, and there is no file ${file}`,
    hint: 'Such a file holds short_factor and long_factor, as in rope_scaling of a config: longrope:factors.json.',
  });
}
