import type { ResolvedCandidate } from '../candidates/index.js';
import { parseConfig } from '../config/index.js';
import type { UnknownRecord } from '../config/json.js';
import { emitInputOf, formOf, hfPatch, type HfPatch } from '../emit/index.js';
import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import type { Report } from '../report/schema.js';
import type { Setup } from './setup.js';

/** What a candidate would change in the config; undefined where emit has no form for it at all. */
function patchOf(
  setup: Setup,
  resolved: ResolvedCandidate,
  raw: UnknownRecord,
): HfPatch | undefined {
  const { model, reference, target } = setup;
  const input = emitInputOf(resolved.label, model, reference, resolved.specs, raw, target.tokens);
  return input && hfPatch(input, formOf(input));
}

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
  const patch = patchOf(setup, resolved, parseConfig(text));
  if (!patch?.ok) return undefined;
  return Object.fromEntries(patch.edits.map((e) => [e.path.join('.'), e.value ?? null]));
}

/** Candidates that no config.json of this model type can say: measured all the same, and said so. */
export function unwritableFindings(setup: Setup, text: string): Finding[] {
  const raw = parseConfig(text);
  const labels = new Map<string, string[]>();
  for (const candidate of setup.candidates) {
    if (candidate.definition.method === 'as-configured') continue;
    const patch = patchOf(setup, candidate, raw);
    if (patch === undefined || patch.ok || patch.otherForm) continue;
    labels.set(patch.reason, [...(labels.get(patch.reason) ?? []), candidate.label]);
  }
  return [...labels].map(([reason, candidates]) =>
    finding('candidate_not_written', '', { candidates, reason }),
  );
}
