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
  readonly name: 'cpu' | 'cuda';
  /** File name of the library that the provider lives in. */
  readonly library: string;
  /** The library is on disk: what the runtime itself lists is no proof. */
  readonly present: boolean;
}

export type SessionTrial =
  | { readonly ok: true; readonly model: string; readonly milliseconds: number }
  | { readonly ok: false; readonly error: string };
