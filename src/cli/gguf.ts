import { open } from 'node:fs/promises';
import { RopeEvalError } from '../errors.js';
import { BOUNDS } from '../json/bounds.js';
import { FACTOR_TENSORS, fromGguf } from '../model/other-formats.js';

/** ggml's number for float32, the type that converters use for divisors of frequencies. */
const FLOAT32 = 0;

/**
 * Converts the header of a GGUF file to the text of a config.json. The weights are not read.
 *
 * @param path absolute path
 * @param shown the path in messages
 * @throws RopeEvalError `unreadable` if the file is not GGUF or its header is damaged
 */
export async function readGguf(path: string, shown: string): Promise<string> {
  const { gguf } = await import('@huggingface/gguf');
  const parsed = await gguf(path, { allowLocalFile: true }).catch((error: unknown) => {
    throw new RopeEvalError('unreadable', {
      file: shown,
      predicate: `cannot be read as GGUF: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Give the config.json of the model that the file was converted from.',
    });
  });
  const factors: Record<string, readonly number[]> = {};
  for (const { name, dtype, shape, offset } of parsed.tensorInfos) {
    if (!FACTOR_TENSORS.some((one) => one === name) || dtype !== FLOAT32) continue;
    const count = Number(shape[0] ?? 0);
    if (shape.length > 1 || count < 1 || count > BOUNDS.headDim / 2) continue;
    factors[name] = await readFloats(path, Number(parsed.tensorDataOffset + offset), count);
  }
  const { metadata } = parsed;
  return JSON.stringify(fromGguf({ metadata: { ...metadata }, factors }), null, 2);
}

async function readFloats(path: string, offset: number, count: number): Promise<number[]> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(4 * count);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    if (bytesRead < bytes.length) {
      throw new RopeEvalError('unreadable', {
        file: path,
        predicate: 'ends before the divisors of its frequencies',
      });
    }
    return Array.from({ length: count }, (_, pair) => bytes.readFloatLE(4 * pair));
  } finally {
    await file.close();
  }
}
