/** By default, errors fail a gate, warnings are printed, and notices are not judged. */
export type Severity = 'error' | 'warning' | 'notice';

/** The types of a finding's arguments, by the names that stand in an entry's `args`. */
interface ArgTypes {
  string: string;
  number: number;
  boolean: boolean;
  /** The value of a key, as the config has it. */
  value: string | number;
  strings: readonly string[];
  /** One label, or several for which a report states the same. */
  names: string | readonly string[];
  /** Values of keys, by key. */
  numbersByKey: Readonly<Record<string, number>>;
}

type ArgType = keyof ArgTypes;
/** Each argument's type, with `?` if it may be missing, or the words that it may be. */
export type ArgSpec = Readonly<Record<string, ArgType | `${ArgType}?` | readonly string[]>>;

type Value<T> = T extends ArgType ? ArgTypes[T] : T extends readonly string[] ? T[number] : never;
type Flat<T> = { [K in keyof T]: T[K] };

/** The arguments that a specification requires. */
export type Args<S extends ArgSpec> = Flat<
  { readonly [K in keyof S as S[K] extends `${string}?` ? never : K]: Value<S[K]> } & {
    readonly [K in keyof S as S[K] extends `${string}?` ? K : never]?: S[K] extends `${infer T}?`
      ? Value<T>
      : never;
  }
>;

/** One finding of the catalogue, with its wording: the code that reports it holds none. */
export interface FindingEntry<Code extends string = string, S extends ArgSpec = ArgSpec> {
  /** Stable code, e.g. `RE012`. */
  readonly code: Code;
  readonly severity: Severity;
  /** A title of a few words. */
  readonly title: string;
  /** The types of the values: what was found, and what would be right. */
  readonly args: S;
  /** Words this finding in one sentence, without its path. */
  message(args: Args<S>): string;
  /** The long text for `rope-eval explain`. */
  readonly explanation: string;
  /** The programs that read a config this way. */
  readonly affects: string;
}

/** Makes an entry whose `message` knows the types of its `args`. */
export function entry<const Code extends `RE${number}`, const S extends ArgSpec>(
  definition: FindingEntry<Code, S>,
): FindingEntry<Code, S> {
  return Object.freeze(definition);
}

/** Whether the arguments of a saved finding are those that its entry expects. */
export function fits(spec: ArgSpec, args: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(spec).every(([name, type]) => {
    const value = Object.hasOwn(args, name) ? args[name] : undefined;
    if (typeof type !== 'string') return type.includes(value as string);
    if (!type.endsWith('?')) return IS[type as ArgType](value);
    return value === undefined || IS[type.slice(0, -1) as ArgType](value);
  });
}

const isString = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const areStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);

const IS: Readonly<Record<ArgType, (value: unknown) => boolean>> = Object.freeze({
  string: isString,
  number: isNumber,
  boolean: (value) => typeof value === 'boolean',
  value: (value) => isString(value) || isNumber(value),
  strings: areStrings,
  names: (value) => isString(value) || areStrings(value),
  numbersByKey: (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(isNumber),
});

/** The kinds of layers that see a limited distance, as words for messages. */
export const LOCAL_SPANS = ['sliding-window', 'chunked'] as const;
