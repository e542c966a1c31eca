import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Provider, PROVIDERS } from '../../probes/presets.js';
import { loadFamily } from './family.js';
import { loadRuntime, openSession } from './session.js';

/** What `rope-eval doctor` shows about the runtime; the result of `describeRuntime`. */
export interface RuntimeDescription {
  /** The version of onnxruntime-node; null if it cannot be loaded. */
  readonly onnxruntime: string | null;
  /** Why it cannot be loaded; absent if it can. */
  readonly loadError?: string;
  /** The folder with the native libraries; null if there is none for this platform. */
  readonly libraryFolder: string | null;
  /** One entry per execution provider that this tool can use. */
  readonly providers: readonly ProviderDescription[];
  /** The attempt to load a bundled model on the CPU. */
  readonly trial: SessionTrial;
  /** The same on CUDA; absent if CUDA's library is not on disk. */
  readonly cudaTrial?: SessionTrial;
  readonly probeModels: readonly string[];
}

/** An execution provider, and whether its library is installed. */
export interface ProviderDescription {
  readonly name: Provider;
  /** The file name of the provider's library. */
  readonly library: string;
  /** Whether the library is on disk. The runtime's own list does not prove it. */
  readonly present: boolean;
}

/** The result of an attempt to load a bundled model. */
export type SessionTrial =
  | { readonly ok: true; readonly model: string; readonly milliseconds: number }
  | { readonly ok: false; readonly error: string };

/** The library of each provider, by platform. That of the CPU is the runtime itself. */
const LIBRARIES: Readonly<Record<string, { cpu: string; cuda: string }>> = Object.freeze({
  linux: { cpu: 'libonnxruntime.so.1', cuda: 'libonnxruntime_providers_cuda.so' },
  win32: { cpu: 'onnxruntime.dll', cuda: 'onnxruntime_providers_cuda.dll' },
  darwin: { cpu: 'libonnxruntime.dylib', cuda: 'libonnxruntime_providers_cuda.dylib' },
});

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function attempt(member: string, device: Provider): Promise<SessionTrial> {
  const start = performance.now();
  try {
    const engine = await openSession({ member, device, threads: 1 });
    await engine.close();
    return { ok: true, model: member, milliseconds: performance.now() - start };
  } catch (error) {
    return { ok: false, error: message(error) };
  }
}

/**
 * Describes the runtime after trying it out, because the runtime lists CUDA even if it is missing.
 */
export async function describeRuntime(platform: string, arch: string): Promise<RuntimeDescription> {
  const require = createRequire(import.meta.url);
  const root = dirname(dirname(require.resolve('onnxruntime-node')));
  const folder = join(root, 'bin', 'napi-v6', platform, arch);
  const names = LIBRARIES[platform];
  const providers = PROVIDERS.map((name) => {
    const library = names?.[name] ?? `onnxruntime (${name})`;
    return { name, library, present: existsSync(join(folder, library)) };
  });
  const family = await loadFamily();
  const member = family.members[0]!.name;
  const base = {
    libraryFolder: existsSync(folder) ? folder : null,
    providers,
    probeModels: family.members.map((m) => m.name),
    trial: await attempt(member, 'cpu'),
  };
  try {
    await loadRuntime();
  } catch (error) {
    return { onnxruntime: null, loadError: message(error), ...base };
  }
  const { version } = require(join(root, 'package.json')) as { version: string };
  const cuda = providers.some((p) => p.name === 'cuda' && p.present);
  return {
    onnxruntime: version,
    ...base,
    ...(cuda ? { cudaTrial: await attempt(member, 'cuda') } : {}),
  };
}
