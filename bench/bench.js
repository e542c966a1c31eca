#!/usr/bin/env node
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadFamily } from '../dist/subjects/bundled/family.js';
import { bundledPath } from '../dist/subjects/bundled/files.js';
import { openPool } from '../dist/subjects/bundled/pool.js';
import { attention, gemm } from './peak.js';
import { record } from './record.js';

// npm run bench [-- --threads 2 --rounds 5 --python python3 --quick]
//
// Every figure is the best of interleaved rounds of this run. Ratios are between two figures of the
// same round.

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: 'python3' },
    config: { type: 'string', default: 'configs/Qwen2.5-7B-Instruct.json' },
    quick: { type: 'boolean', default: false },
  },
});
const threads = Number(values.threads);
const rounds = values.quick ? 1 : Number(values.rounds);
const config = readFileSync(values.config, 'utf8');
const best = (list, pick = Math.min) => pick(...list);

/** Seconds that a command takes, including the start of Node. */
function command(args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
  return (performance.now() - start) / 1000;
}

async function dump(batches, folder) {
  const family = await loadFamily();
  const plan = batches.map(({ batch, want }, id) => {
    const save = (name, data) =>
      writeFileSync(
        join(folder, `${id}.${name}`),
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      );
    for (const name of ['tokens', 'scored', 'targets']) save(name, batch[name]);
    save('cos', batch.rotary.qCos);
    save('sin', batch.rotary.qSin);
    save('want', want);
    return {
      id,
      batch: batch.batch,
      length: batch.length,
      score: batch.score,
      rows: batch.rotary.rows,
      pairs: batch.rotary.pairs,
    };
  });
  const { weights } = family.members.find((m) => m.name === batches[0].member);
  writeFileSync(
    join(folder, 'plan.json'),
    JSON.stringify({ weights: bundledPath(weights), batches: plan }),
  );
}

/** Starts the PyTorch peer; undefined if torch is not installed. */
function peer(folder) {
  const torch = spawnSync(values.python, ['-c', 'import torch, numpy, onnx'], { encoding: 'utf8' });
  if (torch.status !== 0) return undefined;
  const child = spawn(values.python, ['bench/torch_peer.py'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    run: async () => {
      child.stdin.write(`${JSON.stringify({ dir: folder, threads })}\n`);
      return JSON.parse((await lines.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

const row = (name, value, limit = '') =>
  console.log(`${name.padEnd(58)} ${String(value).padStart(12)}  ${limit}`);

const folder = mkdtempSync(join(tmpdir(), 'rope-eval-bench-'));
try {
  const batches = await record(config, { threads });
  await dump(batches, folder);
  const tokens = batches.reduce((n, { batch }) => n + batch.tokens.length, 0);
  const longest = Math.max(...batches.map(({ batch }) => batch.length));
  const engine = await openPool({ member: batches[0].member, device: 'cpu', threads }, longest);
  const torch = peer(folder);
  const ours = async () => {
    const start = performance.now();
    const work = batches.values();
    const lane = async () => {
      for (const { batch } of work) await engine.run(batch);
    };
    await Promise.all(Array.from({ length: engine.lanes ?? 1 }, lane));
    return (performance.now() - start) / 1000;
  };
  // An engine has one thread.
  const peak = await gemm(1);
  const shapes = [
    [8, 256],
    [2, 1024],
    [1, 2048],
  ];
  const operators = await Promise.all(shapes.map(([b, t]) => attention(1, b, t)));
  const seen = {
    ours: [],
    torch: [],
    peak: [],
    attention: shapes.map(() => []),
    command: [],
    inspect: [],
    node: [],
  };
  await ours();
  if (torch) await torch.run();
  for (let i = 0; i < rounds; i++) {
    seen.ours.push(await ours());
    if (torch) seen.torch.push(await torch.run());
    for (let k = 0; k < 5; k++) {
      seen.peak.push(await peak());
      for (const [j, run] of operators.entries()) seen.attention[j].push(await run());
    }
    seen.command.push(
      command(['bin/rope-eval.js', values.config, '--threads', String(threads), '--json']),
    );
    for (let k = 0; k < 3; k++) {
      seen.node.push(command(['-e', '0']));
      seen.inspect.push(command(['bin/rope-eval.js', 'inspect', values.config]));
    }
  }
  torch?.close();
  await engine.close();
  const gflops = best(seen.peak, Math.max);
  console.log(
    `rope-eval bench: ${values.config}, standard preset, ${threads} threads, best of ${rounds} interleaved rounds\n`,
  );
  row('default command, seconds', best(seen.command).toFixed(2), 'aim <= 10');
  row('engine alone, seconds', best(seen.ours).toFixed(2));
  row('probe tokens', tokens);
  row('probe tokens/s', Math.round(tokens / best(seen.ours)));
  row('GEMM peak of one thread, GFLOP/s (1024³, float32)', gflops.toFixed(0));
  shapes.forEach(([b, t], j) => {
    const speed = best(seen.attention[j], Math.max);
    row(
      `attention, batch ${b}, ${t} tokens, GFLOP/s (causal count)`,
      speed.toFixed(0),
      `${((100 * speed) / gflops).toFixed(0)} % of the peak, aim >= 60 %`,
    );
  });
  if (torch) {
    const theirs = best(seen.torch.map((t) => t.seconds));
    row(`PyTorch ${seen.torch[0].torch} SDPA on the same batches, seconds`, theirs.toFixed(2));
    row('speed against PyTorch', `${(theirs / best(seen.ours)).toFixed(2)}x`, 'aim >= 1.5x');
    row(
      'largest difference in log-probability',
      best(
        seen.torch.map((t) => t.worst),
        Math.max,
      ).toExponential(1),
      'limit 1e-3',
    );
  } else
    row('PyTorch', 'not installed', `${values.python} -m pip install -r training/requirements.txt`);
  row('inspect, ms', (best(seen.inspect) * 1000).toFixed(0), 'aim <= 300');
  row('inspect / node -e 0', `${(best(seen.inspect) / best(seen.node)).toFixed(1)}x`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
