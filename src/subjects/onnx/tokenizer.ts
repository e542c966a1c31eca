import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import type { ModelFiles } from './folder.js';
import { errors } from './refusals.js';
import type { TextTokenizer } from './texts.js';

/** Loads a model's tokenizer. @throws RopeEvalError exit 2 where its file is not understood */
export function loadTokenizer({ tokenizer: file, tokenizerConfig }: ModelFiles): TextTokenizer {
  const json = (path: string): unknown => {
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw errors.tokenizer(path, error instanceof Error ? error.message : String(error));
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
    throw errors.tokenizer(file, error instanceof Error ? error.message : String(error));
  }
}

/** Special tokens that the tokenizer puts before a text. */
function leading(tokenizer: Tokenizer): number[] {
  const ids = (add_special_tokens: boolean): number[] =>
    tokenizer.encode('a', { add_special_tokens }).ids as number[];
  const [whole, bare] = [ids(true), ids(false)];
  const at = whole.findIndex((_, i) => bare.every((id, j) => whole[i + j] === id));
  return whole.slice(0, Math.max(0, at));
}
