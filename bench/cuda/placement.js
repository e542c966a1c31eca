#!/usr/bin/env node
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import { sharedTable } from '../../dist/subjects/bundled/engine.js';
import { openSession } from '../../dist/subjects/bundled/session.js';

// node bench/cuda/placement.js [--device cuda]
//
// Prints where the nodes of the bundled graphs run, from the runtime's own profile of one batch.

const { values } = parseArgs({ options: { device: { type: 'string', default: 'cuda' } } });
const LENGTH = 64;

/** Makes one context of consecutive tokens, with every row scored. */
function batch() {
  const positions = Array.from({ length: LENGTH }, (_, t) => t);
  const rows = BigInt64Array.from(positions, BigInt);
  const invFreq = Float64Array.from({ length: 32 }, (_, i) => 10_000 ** (-i / 32));
  return {
    tokens: rows,
    batch: 1,
    length: LENGTH,
    positions: rows,
    scored: rows,
    targets: rows,
    score: LENGTH,
    rotary: sharedTable({ invFreq, attentionScaling: 1 }, positions),
  };
}

/** @returns {Promise<Map<string, string[]>>} kinds of nodes by provider */
async function placement(request) {
  const { InferenceSession } = ort;
  const { create } = InferenceSession;
  const folder = mkdtempSync(join(tmpdir(), 'rope-eval-profile-'));
  const profile = { enableProfiling: true, profileFilePrefix: join(folder, 'profile') };
  let session;
  InferenceSession.create = async (graph, options) => {
    session = await create.call(InferenceSession, graph, { ...options, ...profile });
    return session;
  };
  try {
    const engine = await openSession({ ...request, device: values.device, threads: 1 }, true);
    await engine.run(batch());
    session.endProfiling();
    await engine.close();
    const [file] = readdirSync(folder);
    const nodes = JSON.parse(readFileSync(join(folder, file), 'utf8')).filter(
      ({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'),
    );
    const by = new Map();
    for (const { args } of nodes)
      by.set(args.provider, [...(by.get(args.provider) ?? []), args.op_name]);
    return by;
  } finally {
    InferenceSession.create = create;
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const request of [
  { member: 'c0.38-s1' },
  { member: 'c0.38-r0.25-s1' },
  { member: 'rope-s1', graph: 'encodings' },
  { member: 't5-s1', graph: 'encodings' },
]) {
  for (const [provider, nodes] of await placement(request)) {
    const counts = new Map();
    for (const kind of nodes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const kinds = [...counts].map(([kind, n]) => `${kind} ${n}`).join(', ');
    console.log(`${request.member}: ${nodes.length} nodes on ${provider}: ${kinds}`);
  }
}
