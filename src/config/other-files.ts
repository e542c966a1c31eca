import { show } from './fail.js';
import type { Fields } from './fields.js';

/** Other files of a model folder, by the keys that give them away. */
const OTHER_FILES: readonly { readonly keys: readonly string[]; readonly name: string }[] =
  Object.freeze([
    { keys: ['weight_map'], name: 'the index of the weights' },
    { keys: ['tokenizer_class', 'added_tokens'], name: 'a config of the tokenizer' },
    {
      keys: ['max_new_tokens', 'do_sample', 'temperature', 'top_p'],
      name: 'a generation_config.json',
    },
  ]);

/** What to do where a config has no model type: most often it is another file. */
export function withoutModelType(root: Fields): string {
  if (root.given('peft_type')) {
    const base = root.raw('base_model_name_or_path');
    const named = typeof base === 'string' && base !== '' ? `, ${show(base)}` : '';
    return `this is the config of an adapter, which has no positions of its own: give that of its base model${named}`;
  }
  const other = OTHER_FILES.find(({ keys }) => keys.some((key) => root.given(key)));
  if (other) return `this looks like ${other.name}: give the config.json beside it`;
  return 'the model type decides which keys count; transformers cannot load such a file either';
}
