import { hf } from './hf.js';
import { llamaCpp } from './llama-cpp.js';
import { sglang } from './sglang.js';
import { tgi } from './tgi.js';
import type { Emission, EmitInput, Emitter, Engine } from './types.js';
import { vllm } from './vllm.js';

/** One file an engine. Adding one is a file, a name in ENGINES and a line here. */
const EMITTERS: Readonly<Record<Engine, Emitter>> = Object.freeze({
  hf,
  vllm,
  sglang,
  'llama.cpp': llamaCpp,
  tgi,
});

/** Settings of these engines, or why they have none. */
export function emit(input: EmitInput, engines: readonly Engine[]): readonly Emission[] {
  return engines.map((engine) => EMITTERS[engine](input));
}

export { emitInputOf } from './input.js';
export { formOf, hfPatch, type Form, type HfPatch } from './hf-edits.js';
export { editedRecord } from './read-back.js';
export { patchConfig, type Edit } from './patch.js';
export { ENGINES } from './types.js';
export type {
  Emission,
  EmitGroup,
  EmitInput,
  Engine,
  EngineSettings,
  Note,
  Refusal,
  Setting,
} from './types.js';
