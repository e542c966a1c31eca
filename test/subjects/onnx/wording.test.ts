import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupsOfSites } from '../../../src/subjects/onnx/compare.js';
import type { SiteInfo } from '../../../src/subjects/onnx/exported.js';
import { errors } from '../../../src/subjects/onnx/refusals.js';
import { rotaryValues } from '../../../src/subjects/onnx/rotary.js';
import { type DecoderRequest, DecoderSession } from '../../../src/subjects/onnx/session.js';
import { TokenizedTexts } from '../../../src/subjects/onnx/texts.js';
import { findModel } from '../../../src/subjects/onnx/tokenizer.js';

const FIXTURES = 'fixtures/onnx-decoders';

const { open: sizes } = JSON.parse(readFileSync(`${FIXTURES}/forms.json`, 'utf8')) as {
  readonly open: Omit<DecoderRequest, 'file' | 'device' | 'memory'>;
};

const open = (name: string, more: Partial<DecoderRequest> = {}) =>
  DecoderSession.open({
    file: `${FIXTURES}/${name}.onnx`,
    device: 'cpu',
    memory: 512,
    ...sizes,
    ...more,
  });

describe('a decoder that is not opened, in words', () => {
  it('misses a file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'onnx-wording-')), 'alone.onnx');
    copyFileSync(`${FIXTURES}/torch.onnx`, file);
    await expect(open('torch', { file })).rejects.toThrow(/weights\.bin are missing/);
  });

  it('takes more memory than is allowed, or left', async () => {
    await expect(open('torch', { positions: 65_536, room: 210 })).rejects.toThrow(
      'MiB, and 210 MiB are allowed',
    );
    await expect(open('opset-23-rows', { positions: 2 ** 20 })).rejects.toThrow(
      /MiB of memory are left/,
    );
  });

  it('is one of several', () => {
    expect(() => findModel(FIXTURES)).toThrow(/there are \d+ models/);
    expect(() => findModel(FIXTURES, 'nothing.onnx')).toThrow(/no model is called/);
  });

  it('has a tokenizer that splits the words of answers', () => {
    const letters = { encode: (text: string) => [...text].map((c) => c.charCodeAt(0)), first: [] };
    expect(() => new TokenizedTexts(letters, ['A text.'])).toThrow(/keeps 0 of the/);
  });
});

describe('a graph of another model, in words', () => {
  const site = (layers: readonly number[]): SiteInfo => ({
    form: 'genai',
    layers: [...layers],
    half: false,
    own: rotaryValues(new Float64Array(8).fill(1), 1, 4),
  });
  const group = (rotaryDim: number, layers = [0, 1]) => {
    const rope = { type: 'default', theta: 10_000, rotaryDim } as const;
    const span = { kind: 'global' } as const;
    return { layerType: 'full_attention', layers, span, rope, unscaled: rope };
  };

  it.each([
    [[group(64)], /rotates 8 pairs/],
    [[group(16, [0])], /layer 1 of the graph/],
    [[group(16), { ...group(16), scalable: false }], /1 rotary table, none of which serves/],
    [[group(16, [...Array(12).keys()])], /2 layers that rotate, the config 12/],
  ])('%#', (groups, words) => {
    expect(() => groupsOfSites({ groups }, [site([0, 1])])).toThrow(words);
  });
});

it('a graph that ends on a length says where, without the source of the runtime', () => {
  const reason =
    "Non-zero status code returned while running Mul node. Name:'/layers.0/Mul_3' Status Message: " +
    '/src/ops.h:563 void Iterator::Init(ptrdiff_t, ptrdiff_t) axis == 1 was false. 16 by 32';
  expect(errors.notRun(48, reason).message).toMatch(
    /on 48 tokens, at node "\/layers.0\/Mul_3": axis == 1 was false. 16 by 32/,
  );
});
