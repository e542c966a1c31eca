/* The report names what it ran on; the one place outside the command line that looks. */
import { arch, platform } from 'node:os';
import { versions } from 'node:process';
import type { Report } from '../report/schema.js';

export function runtimeOf(onnxruntime: string): Report['runtime'] {
  return { onnxruntime, node: versions.node, platform: `${platform()}-${arch()}` };
}
