import { expect, it } from 'vitest';
import { RopeEvalError } from '../../src/errors.js';
import { readModel } from '../../src/model/read-model.js';

function hintOf(config: Record<string, unknown>): string {
  try {
    readModel(config);
  } catch (error) {
    if (error instanceof RopeEvalError && error.kind === 'missing_field') return error.hint;
    throw error;
  }
  throw new Error('it was read');
}

it.each([
  [{ peft_type: 'LORA', base_model_name_or_path: 'a/b' }, /adapter.*base model, "a\/b"$/],
  [{ peft_type: 'LORA', base_model_name_or_path: null }, /adapter.*base model$/],
  [{ tokenizer_class: 'LlamaTokenizer' }, /config of the tokenizer/],
  [{ do_sample: true, eos_token_id: 2 }, /generation_config\.json/],
  [{ metadata: {}, weight_map: {} }, /index of the weights/],
  [{ hidden_size: 4096 }, /the model type decides/],
])('a file without a model type is named as what it is: %j', (config, hint) => {
  expect(hintOf(config)).toMatch(hint);
});
