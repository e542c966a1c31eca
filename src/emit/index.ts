import { RopeEvalError } from '../errors.js';
import { defined } from '../json/parse.js';
import { didYouMean } from '../text.js';
import { hf, patchFor } from './engines/hf.js';
import { llamaCpp, ollama } from './engines/llama-cpp.js';
import { sglang } from './engines/sglang.js';
import { tgi } from './engines/tgi.js';
import { vllm } from './engines/vllm.js';
import type { ConfigForm } from './hf-patch.js';
import {
  type Answer,
  checkedVersions,
  compareVersions,
  type EmitInput,
  type Emitter,
  isRelease,
  nearestVersion,
  parseVersion,
  type Version,
} from './types.js';

/** One file for each engine. To add one, write a file, import it and add a line here. */
const EMITTERS = Object.freeze({
  hf,
  vllm,
  sglang,
  'llama.cpp': llamaCpp,
  tgi,
  ollama,
} satisfies Readonly<Record<string, Emitter>>);

export type EngineName = keyof typeof EMITTERS;

/** Every engine, in the order in which they are printed. */
export const ENGINES = Object.freeze(Object.keys(EMITTERS) as EngineName[]);

/** One engine's settings for a scaling. */
export type Emission = Answer & {
  readonly engine: EngineName;
  /**
   * Versions whose own code has read such a setting of this model type, in the conformance tests:
   * of the version asked for, if one was.
   */
  readonly checked: readonly string[];
  /** Versions that have run the rope type on other model types alone. */
  readonly checkedElsewhere: readonly string[];
  /** If the version asked for was not run, the nearest one that was. */
  readonly checkedNearest?: string;
};

/**
 * Makes the settings of these engines, or says why they have none.
 *
 * @param version of the one engine that was asked for; default: the newest known one
 * @throws RopeEvalError `invalid_value` for an unknown version
 */
export function emit(
  input: EmitInput,
  engines: readonly EngineName[],
  version?: string,
): readonly Emission[] {
  return engines.map((engine) => {
    const emitter: Emitter = EMITTERS[engine];
    const of = versionOf(engine, emitter, version);
    const answer = emitter.emit(input, of);
    const { type } = input.groups[0].rope;
    const { versions, elsewhere } = checkedVersions(engine, type, input.geometry.modelType);
    const checked = versions.filter((each) => version === undefined || isRelease(each, version));
    const checkedNearest = checked.length === 0 ? nearestVersion(versions, of) : undefined;
    const ran = defined({ checked, checkedElsewhere: elsewhere, checkedNearest });
    return { engine, ...ran, ...answer };
  });
}

/**
 * Finds the engine that a user means: `llama.cpp` is also llamacpp and llama-server, and `hf` is
 * transformers.
 *
 * @throws RopeEvalError `invalid_value`
 */
export function engineNamed(text: string): EngineName {
  const name = text.trim().toLowerCase();
  const found = ENGINES.find(
    (engine) => engine === name || EMITTERS[engine].aliases.some((alias) => alias === name),
  );
  if (found !== undefined) return found;
  throw new RopeEvalError('invalid_value', {
    option: 'engine',
    problem: `${JSON.stringify(text)} is no engine${didYouMean(name, ENGINES)}`,
    hint: `Known: ${ENGINES.join(', ')}. Give one, or none for all of them.`,
  });
}

function versionOf(engine: EngineName, { versions }: Emitter, asked: string | undefined): Version {
  if (versions === undefined) {
    if (asked === undefined) return [0, 0, 0];
    throw unknownVersion(`${engine} has no versions that are told apart`, '');
  }
  const newest = parseVersion(versions.newest);
  if (asked === undefined) return newest;
  const version = parseVersion(asked);
  // A later patch release of the newest known version changes nothing here.
  const later = version[0] - newest[0] || version[1] - newest[1];
  if (compareVersions(version, parseVersion(versions.oldest)) >= 0 && later <= 0) return version;
  throw unknownVersion(
    `${engine} ${asked} is not known here`,
    `Known: ${versions.oldest} to ${versions.newest}.`,
  );
}

function unknownVersion(message: string, hint: string): RopeEvalError {
  return new RopeEvalError('invalid_value', { option: 'engineVersion', problem: message, hint });
}

/**
 * Makes the edits of config.json that a version of transformers reads as intended.
 *
 * @param version default: the newest known one
 * @throws RopeEvalError `invalid_value` for an unknown version
 */
export function patchForVersion(input: EmitInput, version: string | undefined, form?: ConfigForm) {
  return patchFor(input, versionOf('hf', hf, version), form);
}

export { type Edit, patchConfig } from './block.js';
export { type ConfigForm, formOf, hfPatch, type HfPatch } from './hf-patch.js';
export { windowNotes } from './lengths.js';
export { editedRecord } from './read-back.js';
export { type EmitInput, emitInputOf, type Note } from './types.js';
