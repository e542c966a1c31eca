import { nats, reachTokens } from './format.js';
import type { CandidateReport, Report } from './schema.js';
import type { Form } from './serving-schema.js';

/**
 * What a recommended dynamic scaling is elsewhere than where it was measured: its main row is the
 * recomputed form, which hardly a server has while it generates.
 *
 * @returns '' for scalings whose table does not follow the length
 */
export function recomputedOnly(best: CandidateReport | undefined, { settings }: Report): string {
  if (!best?.groups.some(({ ropeType, changed }) => ropeType === 'dynamic' && changed)) return '';
  const start = 'This holds where all keys are recomputed at each length.';
  const cached = best.forms?.find(({ form }) => form === 'cached');
  const fixed = best.forms?.find(({ form }) => form === 'static');
  if (!cached || !fixed) {
    const advice = settings.preset === 'quick' ? '; --preset standard measures it' : '';
    return `${start} With cached keys, or as one static table (vLLM), it may do far worse${advice}.`;
  }
  return (
    `${start} With cached keys, as while text is generated, it reaches ${reachOf(cached)}; as one ` +
    `static table, as in vLLM, ${reachOf(fixed)}, with ${nats(fixed.short.lossChange.value)} nats ` +
    'of loss at short lengths.'
  );
}

function reachOf({ reach }: Form): string {
  return reach.multiple === 0 ? 'no length' : `${reachTokens(reach)} tokens`;
}
