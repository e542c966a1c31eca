/* The report names what it ran on; the one place outside the command line that looks. */
import { arch, availableParallelism, platform } from 'node:os';
import { versions } from 'node:process';
import type { Report } from '../report/schema.js';

export function runtimeOf(onnxruntime: string): Report['runtime'] {
  return { onnxruntime, node: versions.node, platform: `${platform()}-${arch()}` };
}

/** More threads than this do not make the small decoder faster. */
const MAX_THREADS = 8;

/** Threads of a run that was given no number. */
export function defaultThreads(): number {
  return Math.min(MAX_THREADS, availableParallelism());
}
