import { RopeEvalError } from '../errors.js';
import { didYouMean } from '../suggest.js';
import { hf, patchFor } from './engines/hf.js';
import { llamaCpp } from './engines/llama-cpp.js';
import { ollama } from './engines/ollama.js';
import { sglang } from './engines/sglang.js';
import { tgi } from './engines/tgi.js';
import { vllm } from './engines/vllm.js';
import type { Form } from './hf-patch.js';
import type { Answer, EmitInput, Emitter } from './types.js';
import { checkedVersions, compareVersions, parseVersion, type Version } from './version.js';

/** One file an engine. Adding one is a file, its import and a line here. */
const EMITTERS = Object.freeze({
  hf,
  vllm,
  sglang,
  'llama.cpp': llamaCpp,
  tgi,
  ollama,
} satisfies Readonly<Record<string, Emitter>>);

export type Engine = keyof typeof EMITTERS;

/** Every engine, in the order in which they are printed. */
export const ENGINES = Object.freeze(Object.keys(EMITTERS) as Engine[]);

/** What one engine makes of a scaling. */
export type Emission = Answer & {
  readonly engine: Engine;
  /** Versions whose own code was run on what emit writes. */
  readonly checked: readonly string[];
};

/**
 * Settings of these engines, or why they have none.
 *
 * @param version of the one engine asked for; default: the newest that is known
 * @throws RopeEvalError `invalid_value` for a version that is not known
 */
export function emit(
  input: EmitInput,
  engines: readonly Engine[],
  version?: string,
): readonly Emission[] {
  return engines.map((engine) => {
    const emitter: Emitter = EMITTERS[engine];
    const answer = emitter.emit(input, versionOf(engine, emitter, version));
    return { engine, checked: checkedVersions(engine), ...answer };
  });
}

/**
 * The engine that a person means: `llama.cpp` is also llamacpp and llama-server, `hf` transformers.
 *
 * @throws RopeEvalError `invalid_value`
 */
export function engineNamed(text: string): Engine {
  const name = text.trim().toLowerCase();
  const found = ENGINES.find(
    (engine) => engine === name || EMITTERS[engine].aliases.some((alias) => alias === name),
  );
  if (found !== undefined) return found;
  throw new RopeEvalError('invalid_value', {
    option: 'engine',
    problem: `${JSON.stringify(text)} is no engine${didYouMean(name, ENGINES)}`,
    hint: `Known: ${ENGINES.join(', ')}.`,
  });
}

function versionOf(engine: Engine, { versions }: Emitter, asked: string | undefined): Version {
  if (versions === undefined) {
    if (asked === undefined) return [0, 0, 0];
    throw unknownVersion(`${engine} has no versions that are told apart`, '');
  }
  const newest = parseVersion(versions.newest);
  if (asked === undefined) return newest;
  const version = parseVersion(asked);
  // A patch release of the newest is no news.
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
 * The edits of config.json that a version of transformers reads as they are meant.
 *
 * @param version default: the newest that is known
 * @throws RopeEvalError `invalid_value` for a version that is not known
 */
export function patchForVersion(input: EmitInput, version: string | undefined, form?: Form) {
  return patchFor(input, versionOf('hf', hf, version), form);
}

export { type Edit, patchConfig } from './block.js';
export { editedRecord, type Form, formOf, hfPatch, type HfPatch } from './hf-patch.js';
export { windowNotes } from './lengths.js';
export { type EmitInput, emitInputOf, type Note } from './types.js';
