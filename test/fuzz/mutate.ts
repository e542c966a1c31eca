import { PART_KEYS } from '../../src/model/part.js';

/** A JSON object that may be changed. */
type Config = Record<string, unknown>;

/** Values that readers do not expect, and words from rope blocks. */
const ODD: readonly unknown[] = [
  null,
  0,
  -1,
  1,
  2,
  0.5,
  1e-300,
  1e300,
  2 ** 53,
  true,
  false,
  '',
  'x',
  [],
  {},
  [1, 2],
  [[[]]],
  { a: {} },
  'linear',
  'dynamic',
  'yarn',
  'llama3',
  'longrope',
  'proportional',
  'default',
  'mrope',
  'su',
  'full_attention',
  'sliding_attention',
  8,
  64,
  128,
  4096,
  32_768,
  131_072,
  1_000_000,
  { rope_type: 'linear', factor: 8 },
  { rope_type: 'yarn', factor: 4 },
  { type: 'dynamic', factor: 2 },
  { rope_type: 'default' },
  '\u001b[31m##[error]\u202e',
];

/** Keys of a language model inside a config, and keys of its rope block. */
const PARTS = [...PART_KEYS, 'vision_config'];
const BLOCKS = ['rope_scaling', 'rope_parameters'];

/** Makes configs that are nearly right. The same seed gives the same configs. */
export class Mutator {
  readonly #configs: readonly Config[];
  readonly #keys: readonly string[];
  #state: number;

  /** @param texts of configs; those that cannot be parsed are left out */
  constructor(texts: readonly string[], seed: number) {
    this.#configs = texts.flatMap((text) => {
      try {
        return [JSON.parse(text) as Config];
      } catch {
        return [];
      }
    });
    this.#keys = [...new Set(this.#configs.flatMap((config) => keysOf(config)))];
    this.#state = seed;
  }

  /** Returns a config with up to four changes. Some texts are truncated or have a key twice. */
  text(): string {
    const config = this.#mutated(structuredClone(this.#pick(this.#configs)), 4);
    const text = JSON.stringify(config);
    const odds = this.#below(50);
    if (odds === 0) return text.slice(0, this.#below(text.length + 1));
    if (odds === 1)
      return text.replace(
        '{',
        `{${JSON.stringify(this.#pick(this.#keys))}:${JSON.stringify(this.#pick(ODD))},`,
      );
    return text;
  }

  /** Returns a config, and the same config with up to three changes. */
  pair(): readonly [before: string, after: string] {
    const before = structuredClone(this.#pick(this.#configs));
    if (this.#below(4) === 0) this.#mutated(before, 1);
    return [JSON.stringify(before), JSON.stringify(this.#mutated(structuredClone(before), 3))];
  }

  #mutated(config: Config, most: number): Config {
    const count = 1 + this.#below(most);
    for (let i = 0; i < count; i++) this.#change(config);
    return config;
  }

  #change(config: Config): void {
    const place = this.#pick([config, config, ...recordsIn(config)]);
    const own = Object.keys(place);
    if (own.length > 0 && this.#below(12) === 0) {
      this.#rename(place, this.#pick(own));
      return;
    }
    const key = own.length > 0 && this.#below(3) > 0 ? this.#pick(own) : this.#pick(this.#keys);
    const other = this.#pick(this.#configs);
    const old = Object.hasOwn(place, key) ? place[key] : undefined;
    const ways: (() => unknown)[] = [
      () => structuredClone(this.#pick(ODD)),
      () => (Object.hasOwn(other, key) ? structuredClone(other[key]) : undefined),
      () => undefined,
      () => this.#near(old),
      () => this.#near(old),
    ];
    const value = this.#pick(ways)();
    if (value === undefined) delete place[key];
    else put(place, key, value);
  }

  /**
   * Moves or copies a value to another key. Parts and blocks get another name of a part or block.
   */
  #rename(place: Config, key: string): void {
    const names = [PARTS, BLOCKS].find((each) => each.includes(key)) ?? this.#keys;
    const value = place[key];
    if (this.#below(2) === 0) delete place[key];
    put(place, this.#pick(names), structuredClone(value));
  }

  /** Returns another value of the same kind. */
  #near(value: unknown): unknown {
    if (typeof value === 'number') {
      return this.#pick([value * 2, value / 2, value + 1, value - 1, -value, value * 8, value / 8]);
    }
    if (typeof value === 'boolean') return !value;
    if (typeof value === 'string')
      return this.#pick([value.toUpperCase(), `${value}x`, value.slice(1)]);
    if (!Array.isArray(value) || value.length === 0) return structuredClone(this.#pick(ODD));
    const list = [...(value as unknown[])];
    const at = this.#below(list.length);
    const way = this.#below(4);
    if (way === 0) list.splice(at, 1);
    else if (way === 1) list.push(...list.splice(at, 1));
    else list[at] = this.#below(2) === 0 ? this.#near(list[at]) : this.#pick(list);
    return list;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  /** A whole number from 0 to below `end`, by mulberry32, which is good enough for choices. */
  #below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * end);
  }
}

function put(place: Config, key: string, value: unknown): void {
  Object.defineProperty(place, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(keysOf);
  return Array.isArray(value) ? inner : [...Object.keys(value), ...inner];
}

/** The objects of a config that contain keys: blocks and parts. */
function recordsIn(config: Config): Config[] {
  return Object.values(config).flatMap((value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [value as Config, ...recordsIn(value as Config)]
      : [],
  );
}
