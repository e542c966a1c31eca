import { type ErrorPlace, option, RopeEvalError, type Words, words } from '../errors.js';
import { MAX_MULTIPLE } from '../evaluation/setup.js';
import type { ModelGeometry } from '../model/types.js';
import { type RopeSpec, stretchedWindow } from '../rope/registry.js';
import { geometryKeys } from './differences.js';
import { formatRule, lengthsOf, type Policy } from './policy.js';

/** What the weights were trained with. */
export interface Trained {
  /** (groups) */
  readonly specs: readonly RopeSpec[];
  /** Tokens. */
  readonly window: number;
}

/**
 * The largest length, in tokens, that a config claims to serve: its position limit, or the window
 * that its scaling extends to if that is larger. A gate that stopped earlier would pass lengths
 * that it never measured.
 *
 * A trained-in extension is part of the trained window already, so only what goes beyond it counts.
 */
export function claimedLength(geometry: ModelGeometry, trained: Trained): number {
  const stretched = geometry.groups.flatMap(({ rope, span }, index) =>
    span.kind === 'global' ? [stretchedWindow(rope, trained.specs[index], trained.window)] : [],
  );
  return Math.round(Math.max(geometry.maxPositions, ...stretched));
}

export interface LengthsRequest {
  /** Tokens, from the option `target`. */
  readonly target: number | undefined;
  readonly policy: Policy;
  readonly model: ModelGeometry;
  readonly trained: Trained;
  readonly configText: string;
}

export interface CheckLengths {
  /** Tokens. */
  readonly target: number;
  /** Tokens: further lengths at which rules need the needle measured. */
  readonly lengths: readonly number[];
}

/**
 * Decides how far a gate has to look: at least to the end of the trained window and to every length
 * in an active rule.
 *
 * @throws RopeEvalError `target_too_long`, which names the option, rule or config that asked for
 *   more than can be probed
 */
export function checkLengths(request: LengthsRequest): CheckLengths {
  const { policy, trained } = request;
  const asked = askedLength(request);
  const rules = policy.rules.filter(({ level }) => level !== 'off');
  const ruled = rules.flatMap((rule) => {
    const lengths = lengthsOf(rule, { target: asked, trainedWindow: trained.window });
    for (const length of lengths) {
      assertWithinReach(length, trained.window, {
        place: {},
        what: `the rule '${formatRule(rule)}' asks about ${length} tokens`,
        hint: 'Loosen the rule, or switch it off.',
      });
    }
    return lengths;
  });
  const target = Math.max(asked, trained.window, ...ruled);
  const context = { target, trainedWindow: trained.window };
  return { target, lengths: rules.flatMap((rule) => lengthsOf(rule, context)) };
}

/** Takes the target from the command line, else from the policy, else from the config. */
function askedLength({ target, policy, model, trained, configText }: LengthsRequest): number {
  const most = MAX_MULTIPLE * trained.window;
  if (target !== undefined) {
    assertWithinReach(target, trained.window, {
      place: { option: 'target' },
      what: `${target} tokens`,
      hint: `Use a target of at most ${most}.`,
    });
    return target;
  }
  if (policy.target !== undefined) {
    assertWithinReach(policy.target, trained.window, {
      place: { file: policy.source, path: 'target' },
      what: `${policy.target} tokens`,
      hint: `Use a target of at most ${most}.`,
    });
    return policy.target;
  }
  const claimed = claimedLength(model, trained);
  const keys = geometryKeys(configText);
  const key = claimed > model.maxPositions ? keys.scaling : keys.window;
  assertWithinReach(claimed, trained.window, {
    place: { path: key },
    what: `the config claims ${claimed} tokens`,
    hint: words`Judge it at a shorter length with ${option('target')}, up to ${most}; or say with ${option('trainedWindow')} how long the weights were trained.`,
  });
  return claimed;
}

function assertWithinReach(
  tokens: number,
  window: number,
  asked: { readonly place: ErrorPlace; readonly what: string; readonly hint: Words },
): void {
  if (tokens <= MAX_MULTIPLE * window) return;
  throw new RopeEvalError('target_too_long', {
    ...asked.place,
    problem: `${asked.what}, more than ${MAX_MULTIPLE} times the trained window of ${window}, the most that can be probed`,
    hint: asked.hint,
  });
}
