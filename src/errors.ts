/** Exit codes, the same for every command. */
export const EXIT = Object.freeze({
  ok: 0,
  gateFailed: 1,
  usage: 2,
  runtime: 3,
  interrupted: 130,
});

/**
 * Every kind of error, as machine-readable output names it, and the name of the exit code that a
 * command ends with.
 */
const KINDS = Object.freeze({
  // Options and arguments
  usage: 'usage',
  bad_option: 'usage',
  no_effect: 'usage',
  misplaced_option: 'usage',
  too_many_arguments: 'usage',
  unknown_command: 'usage',
  unknown_code: 'usage',
  unknown_layer_type: 'usage',
  target_too_short: 'usage',
  target_too_long: 'usage',
  lengths_too_close: 'usage',
  local_only: 'usage',
  already_complete: 'usage',
  not_expressible: 'usage',

  // Files
  missing_file: 'usage',
  missing_config: 'usage',
  unreadable: 'usage',
  not_text: 'usage',
  other_format: 'usage',
  not_a_file: 'usage',
  timed_out: 'usage',
  empty: 'usage',
  hub_id: 'usage',
  url: 'usage',
  dump: 'usage',
  unknown_form: 'usage',
  duplicate_output: 'usage',
  overwrites_input: 'usage',
  unwritable_output: 'usage',

  // The text of a config
  invalid_json: 'usage',
  too_deep: 'usage',
  too_large: 'usage',
  wrong_type: 'usage',
  invalid_value: 'usage',
  out_of_range: 'usage',
  missing_field: 'usage',
  wrong_length: 'usage',
  odd_rotary_dim: 'usage',
  not_divisible: 'usage',
  unknown_rope_type: 'usage',
  unknown_model_type: 'usage',
  unsupported_for_model: 'usage',
  not_rope: 'usage',

  // Candidates
  unknown_candidate: 'usage',
  unknown_parameter: 'usage',
  duplicate_candidate: 'usage',
  unsupported_candidate: 'usage',
  no_candidates: 'usage',
  too_many_candidates: 'usage',

  duplicate_key: 'usage',

  // The gate
  bad_policy: 'usage',
  bad_ref: 'usage',
  untrusted_policy: 'usage',
  bad_severity: 'usage',
  bad_rule: 'usage',
  bad_length: 'usage',
  unknown_metric: 'usage',
  bad_report: 'usage',
  bad_shard: 'usage',
  duplicate_shard: 'usage',
  bad_sweep: 'usage',
  not_comparable: 'runtime',

  // A user's own decoder
  onnx_missing: 'usage',
  onnx_other_file: 'usage',
  onnx_several: 'usage',
  onnx_damaged: 'usage',
  onnx_functions: 'usage',
  onnx_no_rope: 'usage',
  onnx_rotary_node: 'usage',
  onnx_no_head: 'usage',
  onnx_input: 'usage',
  onnx_external: 'usage',
  onnx_edit_differs: 'usage',
  onnx_memory: 'runtime',
  onnx_other_model: 'usage',
  onnx_softmax: 'usage',
  onnx_no_tokenizer: 'usage',
  onnx_tokenizer: 'usage',
  text_values: 'usage',
  window_too_short: 'usage',

  // The run
  runtime_missing: 'runtime',
  cuda_unavailable: 'runtime',
  damaged_models: 'runtime',
  engine_died: 'runtime',
  not_measured: 'runtime',
} as const satisfies Readonly<Record<string, 'usage' | 'runtime'>>);

export type ErrorKind = keyof typeof KINDS;

/** An option of `evaluate` or of a command, by its name in a program: `trainedWindow`. */
export interface OptionName {
  readonly option: string;
}

/** Text that names options; plain data, so that it travels between processes. */
export type Words = string | readonly (string | number | OptionName)[];

/** How options are called where a text is read: `target` in a program, `--target` in a shell. */
export interface OptionNames {
  /** At the start of a message: `option target`. */
  place(name: string): string;
  /** Within a sentence. */
  mention(name: string): string;
}

export function option(name: string): OptionName {
  return { option: name };
}

/** Text around options: words`Leave ${option('factor')} out.` */
export function words(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | OptionName)[]
): Words {
  return strings.flatMap((text, i) => (i < values.length ? [text, values[i]!] : [text]));
}

/** Where an error is; usually one of these. */
export interface ErrorPlace {
  /** File that holds the place, where it is not the config. */
  readonly file?: string;
  /** Place in a config, a policy or a dump, such as `rope_scaling.factor`. */
  readonly path?: string;
  /** Option that asks for what cannot be, such as `trainedWindow`. */
  readonly option?: string;
  /** What was given with the option, where that helps to find it. */
  readonly value?: string;
  /** Candidate as it was written. */
  readonly candidate?: string;
}

interface Advice {
  /** One line on what to do. */
  readonly hint?: Words;
}

/** The place stands before what is wrong, which does not repeat it. */
export type ErrorDetails = ErrorPlace &
  Advice &
  (
    | { /** What is wrong and what was found, after a colon. */ readonly problem: Words }
    | { /** The same as the end of a sentence that the place begins. */ readonly predicate: Words }
  );

/**
 * An error for people: what is wrong, where, what was found, what would be right.
 * Anything else that is thrown is a defect of ours.
 */
export class RopeEvalError extends Error {
  override readonly name = 'RopeEvalError';
  readonly exitCode: 2 | 3;
  /** Place in the config or policy, option, candidate or file; '' = none. */
  readonly path: string;
  /** One line on what to do; '' = nothing. */
  readonly hint: string;

  constructor(
    readonly kind: ErrorKind,
    readonly details: ErrorDetails,
  ) {
    const { message, path, hint } = wordError(details, PROGRAM_NAMES);
    super(message);
    this.exitCode = EXIT[KINDS[kind]];
    this.path = path;
    this.hint = hint;
  }
}

/** A text with its options as the reader knows them. */
export function inWords(said: Words, names: Pick<OptionNames, 'mention'>): string {
  if (typeof said === 'string') return said;
  return said
    .map((part) => (typeof part === 'object' ? names.mention(part.option) : part))
    .join('');
}

/** Options as a program names them. */
export const PROGRAM_NAMES: OptionNames = Object.freeze({
  place: (name: string) => `option ${name}`,
  mention: (name: string) => name,
});

/** The texts of an error, with options as the reader knows them. */
export function wordError(
  details: ErrorDetails,
  names: OptionNames,
): { readonly message: string; readonly path: string; readonly hint: string } {
  const { file, path, option: name, value, candidate, hint = '' } = details;
  const text = (said: Words): string => inWords(said, names);
  const places = [
    file,
    path,
    name === undefined ? undefined : [names.place(name), value].filter(Boolean).join(' '),
    candidate === undefined ? undefined : `candidate ${candidate}`,
  ].filter((place) => place !== undefined && place !== '');
  const message =
    'predicate' in details
      ? `${places.join(': ')} ${text(details.predicate)}`
      : [...places, text(details.problem)].join(': ');
  return {
    message,
    path: path || (name === undefined ? (candidate ?? file ?? '') : names.mention(name)),
    hint: text(hint),
  };
}
