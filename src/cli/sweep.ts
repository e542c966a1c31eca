import { glob } from 'tinyglobby';
import { EXIT, RopeEvalError } from '../errors.js';
import {
  type Shard,
  shardOf,
  type Sweep,
  SWEEP_SCHEMA_VERSION,
  type SweepEntry,
} from '../gate/sweep.js';
import type { EvaluateOptions } from '../options.js';
import { TOOL_VERSION } from '../version.js';
import type { Environment } from './environment.js';
import { InterruptedError } from './failure.js';
import { protectInputs } from './files.js';
import { loadConfig } from './inputs.js';
import { readRopeGeometry } from './model.js';
import { runEvaluation } from './run.js';

export interface SweepRequest {
  /** Paths or patterns. A shell without globstar passes `configs/**` on unchanged. */
  readonly patterns: readonly string[];
  readonly shard: Shard;
  /** The file that the caller will write the sweep to. It must not be one of the configs. */
  readonly output: string;
  readonly options: EvaluateOptions;
  readonly notices: boolean;
}

/** Evaluates this shard's configs one after the other. An error in one does not stop the rest. */
export async function runSweep(request: SweepRequest, environment: Environment): Promise<Sweep> {
  const found = await findConfigs(request.patterns, environment);
  await protectInputs(
    [{ name: '-o', path: request.output }],
    found.map((path) => ({ name: 'a config of the sweep', path })),
    environment,
  );
  const own = shardOf(found, request.shard);
  const entries: SweepEntry[] = [];
  let status: Sweep['status'] = 'complete';
  for (const config of own) {
    const entry = await evaluateOne(config, request, environment);
    if (!entry) {
      status = 'interrupted';
      break;
    }
    entries.push(entry);
    if (request.notices) {
      environment.stderr.write(`${entries.length}/${own.length} ${config}${failure(entry)}\n`);
    }
  }
  return {
    schemaVersion: SWEEP_SCHEMA_VERSION,
    tool: { name: 'rope-eval', version: TOOL_VERSION },
    settings: settingsOf(request.options),
    status,
    shards: { count: request.shard.count, present: [request.shard.index] },
    configsTotal: found.length,
    entries,
  };
}

/** The settings that all parts of one sweep share, whatever their configs. */
function settingsOf({ target, candidates }: EvaluateOptions): NonNullable<Sweep['settings']> {
  return {
    target: target ?? null,
    // Blocks are written as JSON, because two different ones may share a label.
    candidates:
      candidates?.map((one) => (one.method === 'block' ? JSON.stringify(one.block) : one.label)) ??
      null,
  };
}

async function findConfigs(
  patterns: readonly string[],
  { cwd }: Environment,
): Promise<readonly string[]> {
  const matches = (some: readonly string[]): Promise<readonly string[]> =>
    glob([...some], { cwd, expandDirectories: false });
  const found = await matches(patterns);
  const paths = [...new Set(found.map((path) => path.replaceAll('\\', '/')))].sort();
  // Every pattern must match something, or a config with a misspelt path would never be gated.
  const missing: string[] = [];
  for (const pattern of patterns.filter((each) => !each.startsWith('!'))) {
    if ((await matches([pattern])).length === 0) missing.push(pattern);
  }
  if (paths.length > 0 && missing.length === 0) return paths;
  throw new RopeEvalError('missing_config', {
    problem: `no config found: ${(missing.length > 0 ? missing : patterns).join(' ')}`,
    hint: "Quote patterns, so that the shell passes them on: rope-eval sweep 'configs/**/config.json'",
  });
}

/**
 * Evaluates one config.
 *
 * @returns undefined if it was interrupted, because a sweep contains only complete reports
 */
async function evaluateOne(
  config: string,
  { options }: SweepRequest,
  environment: Environment,
): Promise<SweepEntry | undefined> {
  try {
    const loaded = await loadConfig(config, environment);
    await readRopeGeometry(loaded, {});
    const quiet = { progress: false, notices: false };
    const report = await runEvaluation(environment, loaded, options, quiet);
    if (report.status === 'interrupted') return undefined;
    // A partial report could be mistaken for a complete one, so a failed run is stored as an error.
    if (report.status === 'complete') return { config, report };
    const message = report.unfinished?.reason ?? 'the runtime failed before the end';
    return { config, error: { kind: 'engine_died', message, exitCode: EXIT.runtime } };
  } catch (error) {
    if (error instanceof InterruptedError) return undefined;
    if (!(error instanceof RopeEvalError)) throw error;
    const { kind, message, exitCode } = error;
    return { config, error: { kind, message, exitCode } };
  }
}

function failure(entry: SweepEntry): string {
  return entry.error ? `: ${entry.error.message}` : '';
}
