import { createHash } from 'node:crypto';
import type { NotRope } from '../config/types.js';
import { EXIT, RopeEvalError } from '../errors.js';
import type { Environment } from './environment.js';
import type { SearchFlags } from './gate/search-factor.js';
import type { LoadedConfig } from './load-config.js';
import type { OutputFlags } from './options/output.js';
import { runEncodings, type EncodingsFlags } from './run-encodings.js';

type Flags = SearchFlags & EncodingsFlags & OutputFlags & { optimize?: boolean; resume?: string };

/** The default command for a model without RoPE: the twin that tells positions as it does. */
export async function compareTwin(
  model: NotRope,
  config: LoadedConfig,
  flags: Flags,
  environment: Environment,
): Promise<number> {
  const { target, factor, candidates, optimize, policy, resume, reference, trainedWindow } = flags;
  refuseFlags(model, {
    target,
    factor,
    candidates,
    optimize,
    policy,
    resume,
    reference,
    trainedWindow,
  });
  const { forModel, twinOf } = await import('../evaluation/encodings/for-model.js');
  const twin = twinOf(model);
  const sha256 = createHash('sha256').update(config.text).digest('hex');
  return runEncodings(environment, flags, {
    encodings: twin === undefined ? [] : [twin],
    finish: (report) => forModel(report, model, { source: config.source, sha256 }),
  });
}

/**
 * Flags that are about RoPE alone.
 *
 * @param flags by name as commander has it, undefined where not given
 * @throws RopeEvalError `not_rope`
 */
export function refuseFlags(model: NotRope, flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  const flag = `--${given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new RopeEvalError(
    `${flag} has no effect on ${model.modelType}, which does not use RoPE`,
    EXIT.usage,
    'not_rope',
    flag,
    `Without ${flag}, a small model with its position encoding is shown instead.`,
  );
}
