import { parseConfig } from '../config/index.js';
import { emitInputOf, formOf, hfPatch } from '../emit/index.js';
import type { Report } from '../report/schema.js';
import type { Setup } from './setup.js';

/**
 * The keys that the recommended scaling changes in the config, `null` = remove.
 *
 * @returns undefined where nothing is to be changed, or a config cannot say it
 */
export function keysToWrite(
  setup: Setup,
  { code, candidate }: Report['recommendation'],
  text: string,
): Record<string, unknown> | undefined {
  if (code !== 'use' && code !== 'use-at-a-cost') return undefined;
  const resolved = setup.candidates.find((c) => c.label === candidate);
  if (!resolved || resolved.definition.method === 'as-configured') return undefined;
  const { model, reference, target } = setup;
  const input = emitInputOf(
    resolved.label,
    model,
    reference,
    resolved.specs,
    parseConfig(text),
    target.tokens,
  );
  const patch = input && hfPatch(input, formOf(input));
  if (!patch?.ok) return undefined;
  return Object.fromEntries(patch.edits.map((e) => [e.path.join('.'), e.value ?? null]));
}
