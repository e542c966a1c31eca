import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { messageOf } from '../../errors.js';
import { errors } from './refusals.js';
import type { TextTokenizer } from './texts.js';

/** Loads a model's tokenizer. @throws RopeEvalError exit 2 for a file that it cannot read */
export function loadTokenizer({ tokenizer: file, tokenizerConfig }: ModelFiles): TextTokenizer {
  const json = (path: string): unknown => {
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw errors.tokenizer(path, messageOf(error));
    }
  };
  try {
    const tokenizer = new Tokenizer(
      json(file) as ConstructorParameters<typeof Tokenizer>[0],
      (tokenizerConfig === undefined ? {} : json(tokenizerConfig)) as ConstructorParameters<
        typeof Tokenizer
      >[1],
    );
    return {
      encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids as number[],
      first: leading(tokenizer),
    };
  } catch (error) {
    throw errors.tokenizer(file, messageOf(error));
  }
}

/** Returns the special tokens that the tokenizer puts before a text. */
function leading(tokenizer: Tokenizer): number[] {
  const [whole, bare] = [true, false].map(
    (add_special_tokens) => tokenizer.encode('a', { add_special_tokens }).ids as number[],
  ) as [number[], number[]];
  const at = whole.findIndex((_, i) => bare.every((id, j) => whole[i + j] === id));
  return whole.slice(0, Math.max(0, at));
}

/** The files of a model on disk. */
export interface ModelFiles {
  readonly model: string;
  readonly tokenizer: string;
  /** The file beside the tokenizer, if there is one. */
  readonly tokenizerConfig: string | undefined;
  /** The model's own config.json, if there is one. */
  readonly config: string | undefined;
}

/** The folders, inside the model's folder, that exporters write the graph to. */
const GRAPH_FOLDERS = ['', 'onnx'];

/**
 * Finds a model's files. The path is a file, a folder with one, or a repository with an `onnx/`
 * folder.
 *
 * @param path an .onnx file or a folder
 * @param choice name of the file to take if a folder has several
 * @throws RopeEvalError exit 2 with what was looked for, and the names to choose from
 */
export function findModel(path: string, choice?: string): ModelFiles {
  const model = findGraph(path, choice);
  const folders = [dirname(model), dirname(dirname(model))];
  const find = (name: string): string | undefined =>
    folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  const tokenizer = find('tokenizer.json');
  if (!tokenizer) throw errors.noTokenizer(folders[0]!);
  return {
    model,
    tokenizer,
    tokenizerConfig: find('tokenizer_config.json'),
    config: find('config.json'),
  };
}

/** Finds only the graph. @throws RopeEvalError as `findModel` */
export function findGraph(path: string, choice: string | undefined): string {
  if (!existsSync(path)) throw errors.missing(path);
  if (statSync(path).isFile()) {
    if (!path.endsWith('.onnx')) throw errors.notOnnx(path);
    return path;
  }
  const found = GRAPH_FOLDERS.flatMap((folder) => {
    const inside = join(path, folder);
    if (!existsSync(inside) || !statSync(inside).isDirectory()) return [];
    return readdirSync(inside)
      .filter((name) => name.endsWith('.onnx'))
      .sort()
      .map((name) => join(inside, name));
  });
  if (choice !== undefined) {
    const wanted = found.find((file) => basename(file) === basename(choice));
    if (!wanted)
      throw errors.choice(
        choice,
        found.map((file) => basename(file)),
      );
    return wanted;
  }
  const plain = found.filter((file) => basename(file) === 'model.onnx');
  if (plain.length === 1) return plain[0]!;
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw errors.noGraph(path);
  throw errors.several(found.map((file) => basename(file)));
}
