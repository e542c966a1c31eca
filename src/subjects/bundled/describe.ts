import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Provider, PROVIDERS } from '../../probes/presets.js';
import { loadFamily } from './family.js';
import { loadRuntime, openSession } from './session.js';

/** What `rope-eval doctor` shows about the runtime; made by `engine/`'s `describeRuntime()`. */
export interface RuntimeDescription {
  /** Version of onnxruntime-node, or null where it cannot be loaded. */
  readonly onnxruntime: string | null;
  /** Why it cannot be loaded; absent where it can. */
  readonly loadError?: string;
  /** Folder with the native libraries, or null where there is none for this platform. */
  readonly libraryFolder: string | null;
  /** One entry per execution provider that this tool can use. */
  readonly providers: readonly ProviderDescription[];
  /** A bundled model loaded on the CPU. */
  readonly trial: SessionTrial;
  /** The same on CUDA; absent where its library is not on disk. */
  readonly cudaTrial?: SessionTrial;
  readonly probeModels: readonly string[];
}

export interface ProviderDescription {
  readonly name: Provider;
  /** File name of the library that the provider lives in. */
  readonly library: string;
  /** The library is on disk: what the runtime itself lists is no proof. */
  readonly present: boolean;
}

export type SessionTrial =
  | { readonly ok: true; readonly model: string; readonly milliseconds: number }
  | { readonly ok: false; readonly error: string };

/** Provider libraries by platform; the CPU's is the runtime itself. */
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

/** Looks and tries instead of believing: the runtime lists CUDA also where it is missing. */
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
