import { hf } from './engines/hf.js';
import { llamaCpp } from './engines/llama-cpp.js';
import { sglang } from './engines/sglang.js';
import { tgi } from './engines/tgi.js';
import { vllm } from './engines/vllm.js';
import type { Emission, EmitInput, Emitter, Engine } from './types.js';

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

export { emitInputOf } from './types.js';
export { formOf, hfPatch, type Form, type HfPatch } from './hf-patch.js';
export { editedRecord } from './hf-patch.js';
export { patchConfig, type Edit } from './config-file.js';
export { ENGINES } from './types.js';
export {
  type Emission,
  type EmitGroup,
  type EmitInput,
  type Engine,
  type EngineSettings,
  type Note,
  type Refusal,
  type Setting,
} from './types.js';
