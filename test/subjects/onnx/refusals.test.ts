import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { InferenceSession } from 'onnxruntime-node';
import { emptySizes, runOn } from '../../../src/subjects/onnx/exported.js';
import { cachedKeys } from '../../../src/subjects/onnx/subject.js';
import { DecoderSession } from '../../../src/subjects/onnx/session.js';
import { groupsOfSites } from '../../../src/subjects/onnx/compare.js';
import { bytesOf, ELEMENT } from '../../../src/subjects/onnx/graph.js';
import { TokenizedTexts } from '../../../src/subjects/onnx/texts.js';
import { findModel } from '../../../src/subjects/onnx/tokenizer.js';
import { bytesField, numberField } from '../../../src/subjects/onnx/wire.js';
import { errorAt } from '../../helpers/errors.js';

const FIXTURES = 'fixtures/onnx-decoders';
const folder = mkdtempSync(join(tmpdir(), 'onnx-refusals-'));
const write = (name: string, bytes: Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const open = (file: string) =>
  DecoderSession.open({
    file,
    device: 'cpu',
    threads: 1,
    positions: 64,
    memory: 64,
    layers: 2,
    scoredRows: 64,
    heads: 2,
    keyHeads: 1,
    headDim: 16,
  });

/** A node with inputs and outputs, and integer attributes. */
const node = (op: string, inputs: string[], outputs: string[], domain = ''): Buffer =>
  bytesField(
    1,
    Buffer.concat([
      ...inputs.map((name) => bytesField(1, name)),
      ...outputs.map((name) => bytesField(2, name)),
      bytesField(3, `/${op}`),
      bytesField(4, op),
      ...(domain ? [bytesField(7, domain)] : []),
    ]),
  );
const port = (field: number, name: string): Buffer =>
  bytesField(
    field,
    Buffer.concat([
      bytesField(1, name),
      bytesField(
        2,
        bytesField(1, Buffer.concat([numberField(1, 7), bytesField(2, Buffer.alloc(0))])),
      ),
    ]),
  );
const model = (graph: Buffer[], more: Buffer[] = []): Buffer =>
  Buffer.concat([
    numberField(1, 10),
    bytesField(8, numberField(2, 20)),
    bytesField(7, Buffer.concat(graph)),
    ...more,
  ]);

it.each([
  ['an empty file', Buffer.alloc(0), 'onnx_damaged'],
  [
    'a file that ends in the middle',
    readFileSync(`${FIXTURES}/torch.onnx`).subarray(0, 9000),
    'onnx_damaged',
  ],
  ['text', Buffer.from('{"model_type": "llama"}'), 'onnx_damaged'],
  [
    'model-local functions',
    model([port(11, 'input_ids')], [bytesField(25, 'f')]),
    'onnx_functions',
  ],
  [
    'an input that nothing is known of',
    model([port(11, 'input_ids'), port(11, 'pixel_values'), port(12, 'logits')]),
    'onnx_input',
  ],
  [
    'no rotary table',
    model([port(11, 'input_ids'), node('Identity', ['input_ids'], ['logits']), port(12, 'logits')]),
    'onnx_no_rope',
  ],
  [
    'a loop',
    model([port(11, 'input_ids'), node('Loop', ['input_ids'], ['logits']), port(12, 'logits')]),
    'onnx_no_rope',
  ],
  [
    'a rotation without a table of its own',
    model([
      port(11, 'input_ids'),
      node('RotaryEmbedding', ['input_ids'], ['logits'], 'com.microsoft'),
      port(12, 'logits'),
    ]),
    'onnx_rotary_node',
  ],
])('%s is refused', async (name, bytes, kind) => {
  const path = write(`${name.replaceAll(' ', '-')}.onnx`, bytes);
  await expect(open(path)).rejects.toMatchObject({ kind, exitCode: 2 });
});

it('a graph that the runtime cannot open is refused in its words, not as memory that ran out', async () => {
  const bytes = readFileSync(`${FIXTURES}/torch.onnx`);
  const beside = join(folder, 'unknown-op');
  mkdirSync(beside);
  copyFileSync(`${FIXTURES}/weights.bin`, join(beside, 'weights.bin'));
  const unknown = Buffer.from(bytes.toString('latin1').replaceAll('Softmax', 'Softmaz'), 'latin1');
  const opened = open(write('unknown-op/model.onnx', unknown));
  await expect(opened).rejects.toMatchObject({ kind: 'onnx_not_opened', exitCode: 2 });
  await expect(opened).rejects.toThrow(/Softmaz/);
});

it('weights that lie at no place of their file are refused', async () => {
  const bytes = readFileSync(`${FIXTURES}/torch.onnx`);
  const text = bytes.toString('latin1');
  // The value of an entry "offset" is of as many bytes as it says.
  const entry = '\n\u0006offset\u0012';
  const at = text.indexOf(entry) + entry.length + 1;
  const moved = Buffer.from(bytes);
  moved.write('-', at);
  await expect(open(write('nowhere.onnx', moved))).rejects.toMatchObject({ kind: 'onnx_damaged' });
});

it('weights of which the file does not say how long they are count all the same', () => {
  const weight = { name: 'w', dims: [1000, 3], range: { from: 0, length: 0 } };
  const external = { location: 'weights.bin', offset: 0 };
  const bytes = (element: number) => bytesOf({ ...weight, element, external });
  expect(bytes(ELEMENT.float32)).toBe(12_000);
  expect(bytes(ELEMENT.float16)).toBe(6000);
  expect(bytesOf({ ...weight, element: 1, external: { ...external, length: 7 } })).toBe(7);
});

it('weights outside of the model’s folder are refused', async () => {
  const bytes = readFileSync(`${FIXTURES}/torch.onnx`);
  const at = bytes.indexOf('weights.bin');
  const moved = Buffer.from(bytes);
  for (let i = at; i >= 0; i = moved.indexOf('weights.bin', i)) moved.write('../ghts.bin', i);
  await expect(open(write('outside.onnx', moved))).rejects.toMatchObject({ kind: 'onnx_external' });
});

it('weights that are missing are named', async () => {
  const path = join(folder, 'alone.onnx');
  copyFileSync(`${FIXTURES}/torch.onnx`, path);
  await expect(open(path)).rejects.toThrow(errorAt('onnx_external'));
  await expect(open(path)).rejects.toThrow(/\bweights\.bin\b/);
});

it('weights behind symbolic links are linked, as in a hub’s cache', async () => {
  const cache = join(folder, 'cache');
  mkdirSync(cache);
  for (const name of ['torch.onnx', 'weights.bin']) {
    copyFileSync(`${FIXTURES}/${name}`, join(folder, `blob-${name}`));
    symlinkSync(join(folder, `blob-${name}`), join(cache, name));
  }
  const decoder = await open(join(cache, 'torch.onnx'));
  expect(decoder.info.editDifference).toBeLessThan(1e-4);
  await decoder.close();
});

it('a folder with several models asks which', () => {
  expect(() => findModel(FIXTURES)).toThrow(errorAt('onnx_several'));
  expect(findModel(FIXTURES, 'genai.onnx').model).toBe(`${FIXTURES}/genai.onnx`);
  expect(() => findModel(FIXTURES, 'nothing.onnx')).toThrow(errorAt('onnx_several'));
});

it('a repository’s layout is found: onnx/model.onnx with the tokenizer above', () => {
  const repository = join(folder, 'repository');
  mkdirSync(join(repository, 'onnx'), { recursive: true });
  copyFileSync(`${FIXTURES}/torch.onnx`, join(repository, 'onnx/model.onnx'));
  copyFileSync(`${FIXTURES}/torch.onnx`, join(repository, 'onnx/model_q4.onnx'));
  expect(() => findModel(repository)).toThrow(errorAt('onnx_no_tokenizer'));
  copyFileSync(`${FIXTURES}/tokenizer.json`, join(repository, 'tokenizer.json'));
  expect(findModel(repository)).toMatchObject({
    model: join(repository, 'onnx/model.onnx'),
    tokenizer: join(repository, 'tokenizer.json'),
  });
});

it('graph and config that are not of one model are told apart', async () => {
  const decoder = await open(`${FIXTURES}/torch.onnx`);
  const { sites } = decoder.info;
  await decoder.close();
  const group = (rotaryDim: number, layers = [0, 1]) => {
    const rope = { type: 'default', theta: 10_000, rotaryDim } as const;
    return {
      layerType: 'full_attention',
      layers,
      span: { kind: 'global' },
      rope,
      unscaled: rope,
    } as const;
  };
  expect(groupsOfSites({ groups: [group(16)] }, sites)).toEqual([0]);
  expect(() => groupsOfSites({ groups: [group(64)] }, sites)).toThrow(errorAt('onnx_other_model'));
  expect(() => groupsOfSites({ groups: [group(16, [0])] }, sites)).toThrow(
    errorAt('onnx_other_model'),
  );
  const local = { ...group(16, [0]), layerType: 'sliding_attention' };
  const other = { ...local, rope: { ...local.rope, theta: 1000 } };
  const kept = { ...local, scalable: false };
  expect(groupsOfSites({ groups: [group(16, [1]), local] }, sites)).toEqual([0]);
  for (const second of [other, kept])
    expect(() => groupsOfSites({ groups: [group(16, [1]), second] }, sites)).toThrow(
      errorAt('onnx_other_model'),
    );
});

it('documents stand apart in the running text', () => {
  // Words and marks, each a token.
  const ids = new Map<string, number>();
  const id = (piece: string): number => {
    if (!ids.has(piece)) ids.set(piece, ids.size);
    return ids.get(piece)!;
  };
  const words = {
    encode: (text: string) => (text.match(/ ?\w+|\n|[^\w\n]/g) ?? []).map(id),
    first: [],
  };
  const documents = ['It ends here.', 'Another begins.'];
  const texts = new TokenizedTexts(
    words,
    documents.map((document) => `${document}\n`),
  );
  const { tokens } = texts.text({ rungs: [64], span: 8 }, 1, 0);
  const pieces = [...ids.keys()];
  const text = tokens.map((token) => pieces[token]).join('');
  expect(text).toContain(documents.join('\n\n'));
  expect(text).not.toContain('here.Another');
});

it('a tokenizer that splits the words of answers is refused', () => {
  const letters = { encode: (text: string) => [...text].map((c) => c.charCodeAt(0)), first: [] };
  expect(() => new TokenizedTexts(letters, ['A text.'])).toThrow(errorAt('text_values'));
});

it('a graph that ends on a length is told from one that has no memory', async () => {
  const status =
    "Non-zero status code returned while running Mul node. Name:'/layers.0/Mul_3' Status Message: " +
    '/src/ops.h:563 void Iterator::Init(ptrdiff_t, ptrdiff_t) axis == 1 was false. 16 by 32';
  const ending = (message: string) =>
    runOn(
      { run: () => Promise.reject(new Error(message)) } as unknown as InferenceSession,
      48,
      {},
      [],
    );
  await expect(ending(status)).rejects.toMatchObject({ kind: 'onnx_not_run', exitCode: 2 });
  await expect(ending('Failed to allocate memory')).rejects.not.toHaveProperty('kind');
});

it('the cache of latent attention holds keys of every head', () => {
  const attention = { layers: 2, heads: 4, kvHeads: 1, headDim: 16 };
  expect(cachedKeys(attention)).toEqual({ keyHeads: 1, headDim: 16 });
  expect(cachedKeys({ ...attention, latent: { ropeDim: 16, nopeDim: 32 } })).toEqual({
    keyHeads: 4,
    headDim: 48,
  });
});

it.each([
  ['no number of places', ['batch', 2, 'past', 16], Number.NaN],
  ['a negative one', ['batch', 2, 'past', 16], -1],
  ['more than fit into memory', ['batch', 2, 1e12, 16], 0],
])('refuses a cache with %s', (_, dims, places) => {
  const port = { name: 'past_key_values.0.key', element: ELEMENT.float32, dims };
  expect(() => emptySizes(port, [1, 2, places, 16])).toThrow(errorAt('onnx_input'));
});
