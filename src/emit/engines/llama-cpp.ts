import { attnFactorOf, YARN_BETAS, type YarnSpec } from '../../rope/kinds/yarn.js';
import { effectiveTheta, type RopeSpec, scalingBlock } from '../../rope/registry.js';
import { tokens, trim } from '../../text.js';
import { dynamicAsTheta, isUnsaid, sayIn, type Support } from '../block.js';
import { isWritable, OTHER_WAY } from '../hf-patch.js';
import { coverageNotes, isUnchanged, staticNotes } from '../lengths.js';
import { command, decimal } from '../served.js';
import type { Answer, EmitInput, Emitter, Note } from '../types.js';

/** Writes ollama's Modelfile, which has a context length but no option for a scaling. */
export const ollama = Object.freeze<Emitter>({
  aliases: [],
  emit: (input) => {
    const { length } = input;
    if (!isUnchanged(input)) {
      const { rope } = input.groups[0];
      const what = scalingBlock(rope)?.['rope_type'] ?? `a theta of ${effectiveTheta(rope)}`;
      return {
        ok: false,
        reason: `ollama has no option for ${String(what)}; it runs what the GGUF holds`,
        instead: sentence(
          isWritable(input)
            ? `patch config.json (emit … --engine hf --write), convert it to GGUF again, import that (FROM ./MODEL.gguf) and set num_ctx ${length}`
            : undefined,
          serverOptions(input).ok
            ? 'serve the GGUF with llama-server (--engine llama.cpp)'
            : undefined,
        ),
      };
    }
    return {
      ok: true,
      settings: [
        {
          title: 'Modelfile',
          versions: 'ollama, every version',
          kind: 'file',
          text: `FROM ./MODEL.gguf\nPARAMETER num_ctx ${length}`,
        },
      ],
      notes: [
        {
          kind: 'needs',
          text: `num_ctx ${length} is needed: without it ollama serves a few thousand tokens, and cuts longer prompts without a word.`,
        },
        ...coverageNotes(input),
      ],
    };
  },
});

type Option = readonly [flag: string, value: string];

/** Writes RoPE options for llama-server and llama-cli. Sources: docs/engines.md. */
export const llamaCpp = Object.freeze<Emitter>({
  aliases: ['llamacpp', 'llama-cpp', 'llama_cpp', 'llama-server', 'gguf'],
  emit: serverOptions,
});

function serverOptions(input: EmitInput): Answer {
  if (isUnchanged(input)) return { ok: true, settings: [launch(input, [])], notes: kept(input) };
  const model = unreached(input);
  if (model !== undefined) return { ok: false, reason: model, instead: sentence(convert(input)) };
  const [{ rope }] = input.groups;
  const said = sayIn(SUPPORT, rope, input);
  if (isUnsaid(said)) {
    const { alpha } = rope.type === 'dynamic' ? dynamicAsTheta(rope, input.length) : {};
    const same =
      alpha === undefined
        ? ''
        : ` (ntk:${trim(alpha, 4)} is its table at ${tokens(input.length)} tokens)`;
    const others = `choose yarn, linear, ntk or theta${same}`;
    return { ok: false, reason: said.unsaid, instead: sentence(convert(input), others) };
  }
  const theta = effectiveTheta(rope);
  const base: readonly Option[] =
    theta === input.geometry.groups[0]?.rope.theta ? [] : [['--rope-freq-base', decimal(theta)]];
  const notes = [...notesOf(input), ...staticNotes(input)];
  return { ok: true, settings: [launch(input, [...said, ...base])], notes };
}

/** Says how a GGUF gets the scaling; undefined if config.json cannot say it either. */
function convert(input: EmitInput): string | undefined {
  return isWritable(input)
    ? 'patch config.json (emit … --engine hf --write) and convert it to GGUF again, where the converter knows the scaling'
    : undefined;
}

/** Joins the ways that are left; without one, the way that always is. */
function sentence(...ways: readonly (string | undefined)[]): string {
  const [first, ...others] = ways.filter((way) => way !== undefined);
  if (first === undefined) return OTHER_WAY;
  return `${[first.charAt(0).toUpperCase() + first.slice(1), ...others].join('; otherwise ')}.`;
}

/** One line for each rope type that options can express. The others exist only in the GGUF. */
const SUPPORT: Support<readonly Option[]> = Object.freeze({
  default: () => [['--rope-scaling', 'none']] as const,
  ntk: () => [['--rope-scaling', 'none']] as const,
  linear: (rope) =>
    [
      ['--rope-scaling', 'linear'],
      ['--rope-scale', decimal(rope.factor)],
    ] as const,
  yarn: yarnOptions,
  dynamic: () => ({
    unsaid: 'there is no dynamic scaling: the table never depends on the length',
  }),
  llama3: stored,
  longrope: stored,
  proportional: stored,
});

function stored({ type }: RopeSpec) {
  return { unsaid: `${type} is stored in the GGUF as a table of factors; no option sets it` };
}

function yarnOptions(
  rope: YarnSpec,
  { length }: EmitInput,
): readonly Option[] | { readonly unsaid: string } {
  const reach = rope.factor * rope.originalMaxPositions;
  if (reach < length) {
    return {
      unsaid: `under YaRN a slot is capped at the original window x the factor, ${tokens(reach)} tokens`,
    };
  }
  if (Math.abs(attnFactorOf(rope) - 1) >= 1e-6) {
    return {
      unsaid:
        'the attention temperature of YaRN follows from the factor; --yarn-attn-factor is overwritten, so an attention factor of its own cannot be set',
    };
  }
  if (!rope.truncate)
    return { unsaid: 'the ends of YaRN’s ramp are always rounded to whole pairs' };
  const beta = (flag: string, value: number, own: number): Option[] =>
    value === own ? [] : [[flag, decimal(value)]];
  return [
    ['--rope-scaling', 'yarn'],
    ['--rope-scale', decimal(rope.factor)],
    ['--yarn-orig-ctx', String(rope.originalMaxPositions)],
    ...beta('--yarn-beta-fast', rope.betaFast, YARN_BETAS.fast),
    ...beta('--yarn-beta-slow', rope.betaSlow, YARN_BETAS.slow),
  ];
}

/** Says why the options do not apply to a model; undefined if they do. */
function unreached({ groups, geometry }: EmitInput): string | undefined {
  if (groups.length > 1) {
    return 'the options do not reach layers with a window, and this model has more than one kind';
  }
  if (geometry.attention.latent) {
    return 'models with latent attention keep their attention scale in the GGUF, and the options do not reach it';
  }
  // The server multiplies these factors into any scaling that the options set.
  const stored = geometry.groups[0]?.rope.type;
  if (stored === 'llama3' || stored === 'longrope') {
    return `the GGUF holds the ${stored} scaling of config.json as a table of factors, which stays in force beside any option`;
  }
  return undefined;
}

function launch(input: EmitInput, scaling: readonly Option[]) {
  const { length, geometry } = input;
  const architecture = ARCHITECTURES[geometry.modelType] ?? 'ARCH';
  const lifted: readonly Option[] = isCapped(input)
    ? [['--override-kv', `${architecture}.context_length=int:${length}`]]
    : [];
  return {
    title: 'llama.cpp',
    versions: 'llama.cpp since December 2025 (ggml-org/llama.cpp#17945)',
    kind: 'command',
    text: command(
      ['llama-server', '-m', 'MODEL.gguf'],
      [['-c', String(length)], ...scaling, ...lifted],
    ),
  } as const;
}

/** Whether the length exceeds that of the GGUF: `max_position_embeddings` when it was made. */
function isCapped({ length, geometry }: EmitInput): boolean {
  return length > geometry.maxPositions;
}

/** `general.architecture` of a GGUF by model type, if it is well known. */
const ARCHITECTURES: Readonly<Partial<Record<string, string>>> = Object.freeze({
  cohere: 'command-r',
  exaone: 'exaone',
  falcon: 'falcon',
  gemma: 'gemma',
  gemma2: 'gemma2',
  gemma3_text: 'gemma3',
  glm4: 'glm4',
  gpt_neox: 'gptneox',
  gpt_oss: 'gpt-oss',
  granite: 'granite',
  internlm2: 'internlm2',
  llama: 'llama',
  mistral: 'llama',
  mixtral: 'llama',
  nemotron: 'nemotron',
  olmo2: 'olmo2',
  phi: 'phi2',
  phi3: 'phi3',
  qwen2: 'qwen2',
  qwen2_moe: 'qwen2moe',
  qwen3: 'qwen3',
  qwen3_moe: 'qwen3moe',
  smollm3: 'smollm3',
  stablelm: 'stablelm',
  starcoder2: 'starcoder2',
});

/** The notes if no option is needed because the GGUF has the scaling. */
function kept(input: EmitInput): Note[] {
  const { rope } = input.groups[0];
  const scaled = rope.type !== 'default';
  const holds: Note = {
    kind: 'derives',
    text: 'The GGUF holds the scaling that config.json had when it was converted, and no option is needed for it.',
  };
  return [...lengthNotes(input), ...(scaled ? [holds] : []), ...coverageNotes(input)];
}

function notesOf(input: EmitInput): Note[] {
  return [
    ...lengthNotes(input),
    {
      kind: 'derives',
      text: 'A GGUF keeps the scaling that config.json had when it was converted; the options replace it.',
    },
    ...coverageNotes(input),
  ];
}

function lengthNotes(input: EmitInput): Note[] {
  const { length, geometry, groups } = input;
  const notes: Note[] = [
    {
      kind: 'needs',
      text: `-c ${length} is needed too: without it the context is the one stored in the GGUF.`,
    },
  ];
  if (!isCapped(input)) return notes;
  const yarn =
    groups[0].rope.type === 'yarn'
      ? ' YaRN lifts that cap by itself, but only since ggml-org/llama.cpp#28030 (30 August 2026).'
      : '';
  notes.push({
    kind: 'needs',
    text: `llama-server caps a slot at the context length in the GGUF (${tokens(geometry.maxPositions)}); --override-kv raises it.${yarn}`,
  });
  if (ARCHITECTURES[geometry.modelType] === undefined) {
    notes.push({
      kind: 'needs',
      text: 'ARCH stands for general.architecture of the GGUF, which llama-server prints when it loads the model.',
    });
  }
  return notes;
}
