import { finding, type Finding } from '../findings/index.js';
import { sameValue } from '../json/parse.js';
import { isNotRope } from '../model/read-model.js';
import type { AttentionShape, LayerGroup, ModelGeometry, NotRope } from '../model/types.js';
import type { RopeSpec } from '../rope/registry.js';
import type { RopeSetting } from './metrics.js';

/** Paths at which the config after the change writes each thing that findings point at. */
export type KeyPaths = Readonly<Record<RopeSetting, string>>;

/**
 * Finds every fact in which two readings of a config differ. A change that a probe measures is
 * reported as information, because the rules judge it. A change that no probe measures is an error,
 * because nothing else would fail it.
 */
export function changesBetween(
  before: ModelGeometry,
  after: ModelGeometry,
  pathOf: KeyPaths,
): readonly Finding[] {
  const change = { before, after, pathOf };
  return [
    windowChanges,
    layerChanges,
    tableChanges,
    softmaxChanges,
    shapeChanges,
    otherChanges,
  ].flatMap((find) => find(change));
}

/** Two readings of a config. */
interface Change {
  readonly before: ModelGeometry;
  readonly after: ModelGeometry;
  readonly pathOf: KeyPaths;
}

/** Finds what differs between two configs if one does not use RoPE. */
export function identityChanges(
  before: ModelGeometry | NotRope,
  after: ModelGeometry | NotRope,
): readonly Finding[] {
  const identity = (model: ModelGeometry | NotRope): Readonly<Record<string, string>> => ({
    'the position encoding': isNotRope(model) ? model.encoding : 'RoPE',
    model_type: model.modelType,
    'the class in architectures': model.architecture ?? 'absent',
  });
  const [old, now] = [identity(before), identity(after)];
  return Object.keys(old).flatMap((what) => {
    const [was, found] = [old[what], now[what]];
    return was === found ? [] : [modelChange(what, was, found)];
  });
}

/** Lists which of the things that advice can blame have changed. */
export function changedSettings(
  before: ModelGeometry,
  after: ModelGeometry,
): readonly RopeSetting[] {
  const tables = commonGroups(before, after);
  const changed: Readonly<Record<RopeSetting, boolean>> = {
    theta: tables.some(([old, now]) => old.unscaled.theta !== now.unscaled.theta),
    scaling: tables.some(([old, now]) => !sameScaling(old.rope, now.rope)),
    window: before.maxPositions !== after.maxPositions,
    localWindow: tables.some(([old, now]) => !sameValue(old.span, now.span)),
  };
  return (Object.keys(changed) as RopeSetting[]).filter((setting) => changed[setting]);
}

/** Whether the layers of two readings rotate, look back and score alike, so that probes agree. */
export function rotateAlike(before: ModelGeometry, after: ModelGeometry): boolean {
  const rotation = (model: ModelGeometry): unknown => [
    model.groups.map(({ layerType, layers, span, rope }) => ({ layerType, layers, span, rope })),
    model.layersWithoutRope,
    model.layersWithoutAttention ?? [],
    model.softmaxScale,
    model.layout,
  ];
  return sameValue(rotation(before), rotation(after));
}

function windowChanges({ before, after, pathOf }: Change): readonly Finding[] {
  const [was, found] = [before.maxPositions, after.maxPositions];
  if (was === found) return [];
  return found < was
    ? [finding('window_lowered', pathOf.window, { found, was })]
    : [finding('window_changed', pathOf.window, { found, was, layers: '' })];
}

/** The role of one layer, as far as positions are concerned. */
interface LayerRole {
  readonly kind: 'rotates' | 'no-positions' | 'no-attention' | 'no-layer';
  readonly layerType: string;
  /** Tokens; undefined = the whole context. */
  readonly window: number | undefined;
  readonly chunked: boolean;
}

type LayerChange = NonNullable<ReturnType<typeof changeOf>>;

function changeOf(was: LayerRole, is: LayerRole) {
  if (was.kind !== is.kind) {
    // A change in the number of layers is reported once, in `shapeChanges`.
    if (was.kind === 'no-layer' || is.kind === 'no-layer') return undefined;
    if (was.kind === 'no-attention' || is.kind === 'no-attention')
      return 'attention_layers_changed';
    return is.kind === 'rotates' ? 'gained_positions' : 'lost_positions';
  }
  if (was.window === undefined && is.window !== undefined) return 'lost_global_view';
  if (was.window !== undefined && is.window === undefined) return 'gained_global_view';
  if (was.window !== is.window || was.chunked !== is.chunked) return 'local_window_changed';
  return was.layerType === is.layerType ? undefined : 'layer_types_changed';
}

function layerChanges({ before, after, pathOf }: Change): readonly Finding[] {
  const changes = new Map<LayerChange, number[]>();
  const windows = { found: 0, was: 0 };
  const [old, now] = [rolesOf(before), rolesOf(after)];
  for (const layer of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(layer) ?? NOWHERE, now.get(layer) ?? NOWHERE];
    const change = changeOf(was, is);
    if (change === undefined) continue;
    changes.set(change, [...(changes.get(change) ?? []), layer]);
    windows.was ||= was.window ?? 0;
    windows.found ||= is.window ?? 0;
  }
  const { found, was } = windows;
  const path = pathOf.localWindow;
  return [...changes].map(([change, list]): Finding => {
    const layers = ranges(list.sort((a, b) => a - b));
    switch (change) {
      case 'lost_global_view':
        return finding(change, path, { layers, window: found });
      case 'gained_global_view':
        return finding(change, path, { layers, window: was });
      case 'local_window_changed':
        return finding(change, path, { layers, found, was });
      default:
        return finding(change, '', { layers });
    }
  });
}

/** The role of a layer that exists only in the other reading. */
const NOWHERE: LayerRole = Object.freeze({
  kind: 'no-layer',
  layerType: '',
  window: undefined,
  chunked: false,
});

/** The role of each layer, by its index. Layers without attention are included. */
function rolesOf(model: ModelGeometry): ReadonlyMap<number, LayerRole> {
  const roles = new Map<number, LayerRole>();
  const add = (layers: readonly number[], role: LayerRole): void =>
    layers.forEach((layer) => roles.set(layer, role));
  for (const { layers, layerType, span } of model.groups) {
    const window = span.kind === 'global' ? undefined : span.window;
    add(layers, { kind: 'rotates', layerType, window, chunked: span.kind === 'chunked' });
  }
  add(model.layersWithoutRope, { ...NOWHERE, kind: 'no-positions' });
  add(model.layersWithoutAttention ?? [], { ...NOWHERE, kind: 'no-attention' });
  return roles;
}

/** Finds changes of theta and scaling, which the probes measure, and of the rotating share. */
function tableChanges({ before, after, pathOf }: Change): readonly Finding[] {
  const types = new Set([...before.groups, ...after.groups].map((group) => group.layerType));
  return [...types].flatMap((layerType) => {
    const [old, now] = [groupOf(before, layerType), groupOf(after, layerType)];
    if (!old || !now) {
      const args = { found: presence(now), was: presence(old), layers: layerType };
      return [finding('layers_changed', '', args)];
    }
    // A model with a single layer type needs no type in its messages.
    return groupChanges(old, now, types.size > 1 ? layerType : '', pathOf);
  });
}

/** Facts about the layers of one type that no probe measures, with the names that users know. */
const GROUP_KEYS = Object.freeze({
  headDim: 'head_dim',
  kvHeads: 'num_key_value_heads',
  scalable: 'whether a scaling reaches the layers',
  partialRotaryFactor: 'partial_rotary_factor',
});

function groupChanges(
  old: LayerGroup,
  now: LayerGroup,
  layers: string,
  pathOf: KeyPaths,
): readonly Finding[] {
  const findings: Finding[] = [];
  const [was, found] = [old.unscaled.theta, now.unscaled.theta];
  if (was !== found) {
    findings.push(finding('theta_changed', pathOf.theta, { found, was, layers }));
  }
  if (!sameScaling(old.rope, now.rope)) {
    const args = { found: describeScaling(now.rope), was: describeScaling(old.rope), layers };
    findings.push(finding('scaling_changed', pathOf.scaling, args));
  }
  const [turned, turns] = [rotatedDimensions(old.rope), rotatedDimensions(now.rope)];
  if (turned !== turns) {
    findings.push(finding('rotated_part_changed', '', { found: turns, was: turned, layers }));
  }
  const of = layers === '' ? '' : ` of ${layers}`;
  for (const [key, what] of Object.entries(GROUP_KEYS) as [keyof typeof GROUP_KEYS, string][]) {
    const said = key === 'partialRotaryFactor' && turned !== turns;
    if (!said && !sameValue(old[key], now[key])) {
      findings.push(modelChange(`${what}${of}`, old[key], now[key]));
    }
  }
  // This compares all other fields of a group, including those that are added later.
  const rest = (group: LayerGroup): unknown => ({ ...group, layers: undefined, span: undefined });
  if (findings.length === 0 && !sameValue(rest(old), rest(now))) {
    findings.push(modelChange(`what is read${of}`, rest(old), rest(now)));
  }
  return findings;
}

function commonGroups(
  before: ModelGeometry,
  after: ModelGeometry,
): readonly (readonly [LayerGroup, LayerGroup])[] {
  return after.groups.flatMap((now) => {
    const old = groupOf(before, now.layerType);
    return old ? [[old, now] as const] : [];
  });
}

function rotatedDimensions({ rotaryDim, exponentDim }: RopeSpec): string {
  return exponentDim === undefined ? `${rotaryDim}` : `${rotaryDim} of ${exponentDim}`;
}

/**
 * Reports changes of the softmax scale. A scaling that multiplies it, as DeepSeek-V3's YaRN does,
 * is measured together with its table, so it is left out here.
 */
function softmaxChanges({ before, after }: Change): readonly Finding[] {
  const measured =
    before.unscaledSoftmaxScale === after.unscaledSoftmaxScale &&
    before.softmaxScale === before.unscaledSoftmaxScale;
  const [was, found] = [before.softmaxScale, after.softmaxScale];
  if (was === found || measured) return [];
  return [finding('softmax_scale_changed', '', { found, was })];
}

/** Names of an attention layer's dimensions, as users know them from configs. */
const SHAPE_KEYS: Readonly<Record<keyof AttentionShape, string>> = Object.freeze({
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  kvHeads: 'num_key_value_heads',
  headDim: 'head_dim',
  hiddenSize: 'hidden_size',
  latent: 'the latent attention',
});

function shapeChanges({ before, after }: Change): readonly Finding[] {
  const [old, now] = [shapeOf(before), shapeOf(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]) as Set<keyof AttentionShape>;
  return [...names].flatMap((name) => {
    const [was, found] = [old[name], now[name]];
    if (sameValue(was, found)) return [];
    return [modelChange(SHAPE_KEYS[name], was, found)];
  });
}

/** The shape of attention, with all layers counted, including those without attention. */
function shapeOf(model: ModelGeometry): AttentionShape {
  return { ...model.attention, layers: rolesOf(model).size };
}

/** Facts that the functions above compare. */
const COMPARED: ReadonlySet<string> = new Set([
  'maxPositions',
  'groups',
  'layersWithoutRope',
  'layersWithoutAttention',
  'softmaxScale',
  'unscaledSoftmaxScale',
  'attention',
]);

/**
 * Everything that a reading says about the model, including facts that are added later. The
 * original window is left out: if it has an effect, it is part of a table, and the reference comes
 * from the base config.
 */
export function factsOf(model: ModelGeometry | NotRope): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(model).filter(([name]) => !NOT_FACTS.has(name)));
}

const NOT_FACTS: ReadonlySet<string> = new Set([
  'findings',
  'config',
  'partPath',
  'originalMaxPositions',
]);

/** Compares all other facts of a reading, so that a fact that is added later needs no line here. */
function otherChanges({ before, after }: Change): readonly Finding[] {
  const [old, now] = [factsOf(before), factsOf(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((name) => !COMPARED.has(name))
    .flatMap((name) => {
      const [was, found] = [old[name], now[name]];
      return sameValue(was, found) ? [] : [modelChange(WORDS[name] ?? name, was, found)];
    });
}

const WORDS: Readonly<Record<string, string>> = Object.freeze({
  modelType: 'model_type',
  architecture: 'the class in architectures',
  layout: 'the layout of rotated pairs',
  pairOrder: 'the order of rotated pairs',
  bidirectional: 'attention to both sides',
  softmaxFollowsYarn: 'the softmax scale under YaRN',
});

function modelChange(what: string, was: unknown, found: unknown): Finding {
  return finding('model_changed', '', { what, was: show(was), found: show(found) });
}

function show(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const LONGEST_SHOWN = 80;

function presence(group: LayerGroup | undefined): 'present' | 'absent' {
  return group === undefined ? 'absent' : 'present';
}

function groupOf(geometry: ModelGeometry, layerType: string): LayerGroup | undefined {
  return geometry.groups.find((group) => group.layerType === layerType);
}

/** Writes sorted numbers as `0–3, 7, 9–11` and cuts long lists. */
function ranges(sorted: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const value of sorted) {
    const last = runs.at(-1);
    if (last && value === last[1] + 1) last[1] = value;
    else runs.push([value, value]);
  }
  const shown = runs.slice(0, MOST_RUNS).map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`));
  return `${shown.join(', ')}${runs.length > MOST_RUNS ? ', …' : ''}`;
}

const MOST_RUNS = 8;

/** Fields of a rope that do not belong to its scaling. They are compared separately. */
const SHARED: ReadonlySet<string> = new Set(['theta', 'rotaryDim', 'exponentDim']);

/** Compares two scalings number by number, because a description may omit some. */
function sameScaling(a: RopeSpec, b: RopeSpec): boolean {
  const own = (rope: RopeSpec): unknown =>
    Object.fromEntries(Object.entries(rope).filter(([name]) => !SHARED.has(name)));
  return sameValue(own(a), own(b));
}

/** Describes a scaling on one line, by the keys of a config: `yarn factor=4 beta_fast=32`. */
export function describeScaling(rope: RopeSpec): string {
  if (rope.type === 'default') return 'none';
  const own = Object.entries(rope)
    .filter(([name, value]) => name !== 'type' && !SHARED.has(name) && value !== undefined)
    .map(([name, value]) => `${configKey(name)}=${Array.isArray(value) ? briefly(value) : value}`);
  return [rope.type, ...own].join(' ');
}

/** Converts a name to the key in the file, because the reader knows the file and not our names. */
function configKey(name: string): string {
  return name
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/max_positions$/, 'max_position_embeddings');
}

/** Shortens a long list of divisors for a message. */
function briefly(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `[${values.length} numbers from ${values[0]} to ${values.at(-1)}, mean ${mean.toPrecision(8)}]`;
}
