import { applyEdits, type FormattingOptions, modify } from 'jsonc-parser';
import { Fields } from '../json/fields.js';
import { isRecord, type UnknownRecord } from '../json/parse.js';
import { findPart } from '../model/part.js';

/** How a config file writes its rotary settings, so that a patch speaks its dialect. */
export interface ConfigShape {
  /** Path of the object that holds them: [] or, in a multimodal config, ['text_config']. */
  readonly prefix: readonly string[];
  readonly at: UnknownRecord;
  /** transformers 4 writes `rope_scaling` and `rope_theta`, 5 `rope_parameters`. */
  readonly form: 'v4' | 'v5';
}

export function shapeOf(raw: UnknownRecord): ConfigShape {
  const { fields } = findPart(new Fields(raw, ''));
  const at = fields.record;
  return {
    prefix: fields.path === '' ? [] : fields.path.split('.'),
    at,
    form: Object.hasOwn(at, 'rope_parameters') && !hasLegacyBlock(at) ? 'v5' : 'v4',
  };
}

/** transformers lets a non-empty `rope_scaling` replace `rope_parameters`. */
function hasLegacyBlock(at: UnknownRecord): boolean {
  const block = Object.hasOwn(at, 'rope_scaling') ? at['rope_scaling'] : undefined;
  return isRecord(block) && Object.keys(block).length > 0;
}

/** The block as it stands: of one kind of layer where the file has one each. */
export function writtenBlock({ at, form }: ConfigShape, layerType: string): unknown {
  const block = form === 'v5' ? at['rope_parameters'] : at['rope_scaling'];
  if (!isRecord(block) || !Object.hasOwn(block, layerType)) return block;
  return block[layerType];
}

/** A key of an object, if it is one. */
export function own(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** One key to set, or to remove where the value is undefined. */
export interface Edit {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Applies edits to the text of a config and leaves every other byte as it is. */
export function patchConfig(text: string, edits: readonly Edit[]): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const formattingOptions = formattingOf(text);
  const patched = edits.reduce(
    (current, { path, value }) =>
      applyEdits(current, modify(current, [...path], value, { formattingOptions })),
    text.slice(mark.length),
  );
  return mark + patched;
}

/** Indentation and line ends as the file has them. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}
