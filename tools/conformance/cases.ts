import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { nodeEnvironment } from '../../src/cli/environment.js';
import { main } from '../../src/cli/main.js';
import { Output } from '../../src/cli/streams.js';

// tsx tools/conformance/cases.ts OUTPUT.json
//
// Writes what the command line prints for every model shape, candidate, engine and version, and the
// rotary tables that it means. Everything is read from the commands' JSON, as a user's script would
// read it, in one process.

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SHAPES = join(HERE, 'shapes');

type Words = readonly string[];

interface Answer<Json> {
  readonly json?: Json;
  /** The message of a command that failed. */
  readonly refused?: string;
}

interface Group {
  readonly ropeType: string;
  readonly layers: readonly number[];
  readonly rotaryDim: number;
  readonly layout: string;
  readonly invFreq: readonly number[];
  readonly attentionScaling: number;
  readonly softmaxScale: number;
}

interface Inspected {
  readonly modelType: string;
  readonly reference: { readonly trainedWindow: number };
  readonly layerTypes: Readonly<Record<string, Group>>;
}

interface Emitted {
  readonly length: number;
  readonly emissions: readonly [{ readonly settings: readonly { readonly text: string }[] }];
}

type Engines = Readonly<Record<string, readonly { readonly version: string }[]>>;

const environment = nodeEnvironment();

async function ropeEval<Json>(...argv: string[]): Promise<Answer<Json>> {
  const texts: [string, string] = ['', ''];
  const sink = (index: 0 | 1): Output =>
    new Output(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          texts[index] += chunk.toString();
          done();
        },
      }),
      {},
    );
  const streams = { stdout: sink(0), stderr: sink(1) };
  const code = await main({ ...environment, ...streams, argv: [...argv, '--json'] });
  if (code === 0) return { json: JSON.parse(texts[0]) as Json };
  if (code !== 2) throw new Error(`rope-eval ${argv.join(' ')} ended with ${code}: ${texts[1]}`);
  return { refused: texts.join(' ').trim() };
}

/**
 * Makes one candidate of each kind, by name. A factor of 2 keeps tables of a million tokens small.
 *
 * @param window tokens
 * @param pairs rotary pairs of a head
 */
function candidatesFor(window: number, pairs: number): Readonly<Record<string, Words>> {
  const longrope = {
    rope_type: 'longrope',
    short_factor: Array.from({ length: pairs }, () => 1),
    long_factor: Array.from({ length: pairs }, (_, pair) => 1 + pair / pairs),
    factor: 2,
    original_max_position_embeddings: window,
  };
  const target = ['--target', String(2 * window)];
  return {
    'as-configured': ['as-configured'],
    none: ['none'],
    'linear:2': ['linear:2'],
    'ntk:2': ['ntk:2'],
    theta: ['theta:20000000', ...target],
    'dynamic:2': ['dynamic:2', ...target],
    'yarn:2': ['yarn:2'],
    'yarn:2 with its own ramp': ['yarn:2:beta_fast=16'],
    'yarn:2 with its own temperature': ['yarn:2:attention_factor=1.1'],
    'yarn-critical:2': ['yarn-critical:2'],
    'by-parts:2': ['by-parts:2'],
    'ntk-mixed:2': ['ntk-mixed:2'],
    'llama3:2': ['llama3:2'],
    longrope: [JSON.stringify(longrope), ...target],
  };
}

/** One layer type's table as rope-eval means it. */
type Table = Group & { readonly layerType: string };

/** Reads frequencies, temperature, layout and softmax scale of each layer type at a length. */
async function tables(config: string, candidate: string, length: number): Promise<Table[]> {
  const { json, refused } = await ropeEval<Inspected>(
    ...['inspect', config, '--candidate', candidate, '--seq-len', String(length)],
  );
  if (json === undefined) throw new Error(`${config} ${candidate}: ${refused}`);
  return Object.entries(json.layerTypes).map(([layerType, group]) => ({
    layerType,
    ropeType: group.ropeType,
    layers: group.layers,
    rotaryDim: group.rotaryDim,
    layout: group.layout,
    invFreq: group.invFreq,
    attentionScaling: group.attentionScaling,
    softmaxScale: group.softmaxScale,
  }));
}

/** Returns the config file after `emit --write`, in the form that the file has. */
async function written(config: string, words: Words): Promise<Answer<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'rope-eval-'));
  const copy = join(folder, 'config.json');
  await copyFile(config, copy);
  const { refused } = await ropeEval('emit', copy, ...words, '--write');
  // The file is returned as text, because Python distinguishes 7 and 7.0.
  const answer = refused === undefined ? { json: await readFile(copy, 'utf8') } : { refused };
  await rm(folder, { recursive: true });
  return answer;
}

/**
 * Returns what emit prints for a version of an engine: command lines or patches, or why neither.
 */
async function printed(
  config: string,
  words: Words,
  engine: string,
  version: string,
): Promise<unknown> {
  // Versions of llama.cpp are build numbers, which emit does not distinguish.
  const ofVersion = engine === 'llama.cpp' ? [] : ['--engine-version', version];
  const { json, refused } = await ropeEval<Emitted>(
    ...['emit', config, ...words, '--engine', engine, ...ofVersion],
  );
  return json === undefined
    ? { refused }
    : { settings: json.emissions[0].settings.map(({ text }) => text) };
}

async function readJson<Json>(path: string): Promise<Json> {
  return JSON.parse(await readFile(path, 'utf8')) as Json;
}

async function casesOf(config: string, engines: Engines): Promise<unknown> {
  const { json: inspected } = await ropeEval<Inspected>('inspect', config);
  const [group] = Object.values(inspected?.layerTypes ?? {});
  if (inspected === undefined || group === undefined) throw new Error(`${config} is not read`);
  const { trainedWindow } = inspected.reference;
  const short = Math.min(1024, trainedWindow);
  const cases: unknown[] = [];
  const configured = {
    length: trainedWindow,
    meant: await tables(config, 'as-configured', trainedWindow),
    short,
    meantShort: await tables(config, 'as-configured', short),
  };
  const kinds = candidatesFor(trainedWindow, group.rotaryDim / 2);
  for (const [name, words] of Object.entries(kinds)) {
    const id = `${parse(config).name} / ${name}`;
    const { json, refused } = await ropeEval<Emitted>('emit', config, ...words);
    if (json === undefined) {
      cases.push({ id, refused });
      continue;
    }
    const candidate = words[0] ?? '';
    const given: Record<string, Record<string, unknown>> = {};
    for (const [engine, versions] of Object.entries(engines)) {
      const answers: Record<string, unknown> = {};
      for (const { version } of versions) {
        answers[version] = await printed(config, words, engine, version);
      }
      given[engine] = answers;
    }
    const meant = await tables(config, candidate, json.length);
    cases.push({
      id,
      ropeType: meant[0]?.ropeType,
      length: json.length,
      meant,
      short,
      meantShort: await tables(config, candidate, short),
      written: await written(config, words),
      given,
    });
  }
  return { modelType: inspected.modelType, configured, cases };
}

const engines = await readJson<Engines>(join(HERE, 'engines.json'));
const cases: Record<string, unknown> = {};
for (const file of (await readdir(SHAPES)).sort()) {
  cases[parse(file).name] = await casesOf(join(SHAPES, file), engines);
}
await writeFile(process.argv[2] ?? 'cases.json', JSON.stringify(cases));
