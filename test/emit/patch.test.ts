import { describe, expect, it } from 'vitest';
import { formOf, patchConfig } from '../../src/emit/index.js';
import { configText, editsOf, inputFor, yarn } from './input.js';

function patched(text: string, form: 'v4' | 'v5' = 'v4'): string {
  return patchConfig(text, editsOf(inputFor(text, yarn(4, 4096), 16_384), form));
}

const llama = configText('Llama-2-7b-hf');

describe('a patched config', () => {
  it('has the block and every other byte as before', () => {
    const text = patched(llama);
    expect(JSON.parse(text)).toEqual({
      ...(JSON.parse(llama) as object),
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 4096 },
      max_position_embeddings: 16_384,
    });
    const added = /"rope_scaling": (\{[^}]*\}|null)|"max_position_embeddings": \d+/g;
    expect(text.replaceAll(added, '')).toBe(llama.replaceAll(added, ''));
  });

  it.each(['\t', '  ', '    '])('keeps indentation %j and line ends', (indent) => {
    const text = JSON.stringify(JSON.parse(llama), null, indent).replaceAll('\n', '\r\n');
    const lines = patched(text).split('\r\n');
    expect(lines).toContain(`${indent}${indent}"factor": 4,`);
    expect(lines.join('').includes('\n')).toBe(false);
  });

  it('keeps a byte order mark', () => {
    expect(patched(`\uFEFF${llama}`).startsWith('\uFEFF{')).toBe(true);
  });

  it('in the v5 form has one block and no rope_scaling beside it', () => {
    const result = JSON.parse(patched(llama, 'v5')) as object;
    expect(result).toMatchObject({
      rope_scaling: null,
      rope_parameters: { rope_type: 'yarn', rope_theta: 10_000 },
    });
  });

  it('speaks the form that the file has', () => {
    expect(formOf(inputFor(llama, yarn(4, 4096), 1))).toBe('v4');
    expect(formOf(inputFor(patched(llama, 'v5'), yarn(4, 4096), 1))).toBe('v5');
  });

  it.each(['v4', 'v5'] as const)('is not changed by a second patch (%s)', (form) => {
    const once = patched(llama, form);
    expect(patched(once, form)).toBe(once);
  });

  it('treats kinds of layers apart', () => {
    const gemma = configText('gemma-3-1b-it');
    const input = inputFor(gemma, yarn(4, 32_768), 131_072);
    const edits = editsOf(input, 'v5');
    expect(formOf(input)).toBe('v4');
    expect(JSON.parse(patchConfig(gemma, edits))).toMatchObject({
      rope_parameters: {
        full_attention: { rope_type: 'yarn', factor: 4 },
        sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
      },
    });
  });
});
