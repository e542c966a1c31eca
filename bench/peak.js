import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { loadFamily } from '../dist/subjects/bundled/family.js';
import { causalMask } from '../dist/subjects/bundled/session.js';

const graph = (name) => readFileSync(new URL(`models/${name}.onnx`, import.meta.url));

/** Random float32 values that are not subnormal, because those are slow. */
const noise = (n) =>
  Float32Array.from({ length: n }, (_, i) => ((i * 2654435761) % 1000) / 1000 - 0.5);

async function session(name, threads) {
  return ort.InferenceSession.create(graph(name), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
}

async function seconds(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Multiplies large square float32 matrices, which shows the machine's peak. -> () => GFLOP/s */
export async function gemm(threads, n = 1024) {
  const s = await session('gemm', threads);
  const feeds = {
    a: new ort.Tensor('float32', noise(n * n), [n, n]),
    b: new ort.Tensor('float32', noise(n * n), [n, n]),
  };
  return async () => (2 * n ** 3) / (await seconds(() => s.run(feeds))) / 1e9;
}

/** Queries per chunk, as in src/subjects/bundled/session.ts. Lengths here are multiples of it. */
const CHUNK = 64;

/** Runs only the attention of decoder.onnx and counts its causal work. -> () => GFLOP/s */
export async function attention(threads, batch, length) {
  const s = await session('attention', threads);
  const { heads, head_dim: dim } = (await loadFamily()).shape;
  const x = () =>
    new ort.Tensor('float32', noise(batch * length * heads * dim), [batch, length, heads * dim]);
  const feeds = {
    q: x(),
    k: x(),
    v: x(),
    block: new ort.Tensor('float32', causalMask(CHUNK), [CHUNK, CHUNK]),
  };
  const flop = 2 * batch * heads * length * (length + 1) * dim;
  return async () => flop / (await seconds(() => s.run(feeds))) / 1e9;
}
