/** Exit codes, the same for every command. */
export const EXIT = Object.freeze({
  ok: 0,
  gateFailed: 1,
  usage: 2,
  runtime: 3,
  interrupted: 130,
});

/** Every kind of error, by its name in JSON, and the exit code of a command that ends with it. */
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
  onnx_not_opened: 'usage',
  onnx_not_run: 'usage',
  onnx_edit_differs: 'usage',
  onnx_memory: 'runtime',
  onnx_other_model: 'usage',
  onnx_softmax: 'usage',
  onnx_no_tokenizer: 'usage',
  onnx_tokenizer: 'usage',
  text_short: 'usage',
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

/** An option of `evaluate` or of a command, by its name in the API, e.g. `trainedWindow`. */
export interface OptionName {
  readonly option: string;
}

/** Text that mentions options. It is plain data, so that it can travel between processes. */
export type Words = string | readonly (string | number | OptionName)[];

/** How a text spells options: `target` for the API, `--target` in a shell. */
export interface OptionNames {
  /** At the start of a message: `option target`. */
  place(name: string): string;
  /** Within a sentence. */
  mention(name: string): string;
}

export function option(name: string): OptionName {
  return { option: name };
}

/** A template tag for text that mentions options: words`Leave ${option('factor')} out.` */
export function words(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | OptionName)[]
): Words {
  return strings.flatMap((text, i) => (i < values.length ? [text, values[i]!] : [text]));
}

/** Where an error is. Usually one of these is set. */
export interface ErrorPlace {
  /** The file with the error, if it is not the config. */
  readonly file?: string;
  /** Place in a config, a policy or a dump, such as `rope_scaling.factor`. */
  readonly path?: string;
  /** The option that asks for something impossible, such as `trainedWindow`. */
  readonly option?: string;
  /** The value of the option, if that helps to find it. */
  readonly value?: string;
  /** The candidate as the user wrote it. */
  readonly candidate?: string;
}

/** Details of an error. The message begins with the place, so the rest does not repeat it. */
export type ErrorDetails = ErrorPlace & {
  /** One line of advice. */
  readonly hint?: Words;
} & (
    | { /** What is wrong; stands after the place and a colon. */ readonly problem: Words }
    | { /** The same as a predicate whose subject is the place. */ readonly predicate: Words }
  );

/**
 * An error for people: it says what is wrong, where, what was found and what would be right.
 * Anything else that is thrown is a bug in this package.
 */
export class RopeEvalError extends Error {
  override readonly name = 'RopeEvalError';
  readonly exitCode: 2 | 3;
  /** The place in the config or policy, option, candidate or file; '' = none. */
  readonly path: string;
  /** One line of advice; '' = none. */
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

/** Renders a text with its options spelled for the reader. */
export function inWords(said: Words, names: Pick<OptionNames, 'mention'>): string {
  if (typeof said === 'string') return said;
  return said
    .map((part) => (typeof part === 'object' ? names.mention(part.option) : part))
    .join('');
}

/** Spells options as the API does. */
export const PROGRAM_NAMES: OptionNames = Object.freeze({
  place: (name: string) => `option ${name}`,
  mention: (name: string) => name,
});

/** Renders the message, path and hint of an error, with options spelled for the reader. */
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

/** What an error of any kind says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
