#!/usr/bin/env node
/**
 * Runs a list of commands with two checkouts and compares every byte that they print or write. It
 * proves that a refactoring changed nothing that users see.
 *
 *     node tools/reports/same.js BEFORE AFTER [--level quick|standard|full] [--only TEXT] [--saved DIR]
 *
 * BEFORE and AFTER are built checkouts. The output of BEFORE is saved in DIR and read from there
 * the next time. Only times, dates and schema versions are excluded from the comparison.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const FORMS = ['json', 'txt', 'md', 'html', 'csv', 'xml'];
const LEVELS = ['quick', 'standard', 'full'];

/** A dozen models that differ in rope type, layers, rotary share and critical fraction. */
const MODELS = [
  'Llama-2-7b-hf',
  'Meta-Llama-3.1-8B',
  'Qwen2.5-7B-Instruct',
  'Mistral-7B-v0.1',
  'gemma-3-1b-it',
  'DeepSeek-V3',
  'gpt-oss-20b',
  'phi-2',
  'SmolLM3-3B',
  'Hunyuan-7B',
  'glm-4-9b-hf',
  'Llama-4-Scout-17B-16E-Instruct',
];
const model = (name) => `fixtures/model-configs/${name}.json`;

/** Lists the commands of a level. `out`: the command also writes every form of a report. */
function commands(level) {
  const evaluations = [
    ...MODELS.map((name, i) => ({ preset: 'quick', name, atLevel: i < 3 ? 'quick' : 'standard' })),
    ...MODELS.slice(0, 4).map((name) => ({ preset: 'standard', name, atLevel: 'full' })),
    ...MODELS.slice(0, 2).map((name) => ({ preset: 'thorough', name, atLevel: 'full' })),
  ];
  const list = evaluations.map(({ preset, name, atLevel }) => ({
    args: [model(name), '--preset', preset, '--device', 'cpu', '--threads', '2'],
    out: true,
    atLevel,
  }));
  const add = (atLevel, ...args) => list.push({ args, out: false, atLevel });
  for (const name of MODELS) {
    add('quick', 'inspect', model(name));
    add('quick', 'inspect', model(name), '--json');
    add('quick', 'fingerprint', model(name));
    for (const candidate of ['yarn:2', 'linear:2', 'as-configured'])
      add('standard', 'emit', model(name), candidate);
  }
  const llama = model('Llama-2-7b-hf');
  add('quick', 'inspect', llama, '--candidate', 'yarn:4');
  for (const candidate of ['ntk:4', 'dynamic:4', 'by-parts:4', 'llama3:8', 'theta:1e6', 'none'])
    add('quick', 'emit', llama, candidate);
  for (const engine of ['vllm', 'sglang', 'llama.cpp', 'tgi', 'hf'])
    add('quick', 'emit', llama, 'yarn:4', '--engine', engine);
  add('standard', 'check', llama, '--preset', 'quick', '--device', 'cpu');
  add('standard', 'check', model('Mistral-7B-v0.1'), '--base', llama, '--preset', 'quick');
  add('full', 'encodings', '--preset', 'quick', '--device', 'cpu');
  add('quick', 'explain');
  for (const schema of ['report', 'policy', 'inspect', 'check', 'compare', 'sweep', 'encodings'])
    add('quick', 'schema', schema);
  add('quick', 'inspect', model('gpt2'));
  add('quick', 'inspect', 'missing.json');
  add('quick', llama, '--candidates', 'yarn:banana');
  add('quick', 'emit', llama, 'yarn:0');
  for (const command of ['', 'inspect', 'check', 'emit', 'compare', 'sweep', 'fingerprint'])
    add('quick', ...(command ? [command] : []), '--help');
  return list.filter((c) => LEVELS.indexOf(c.atLevel) <= LEVELS.indexOf(level));
}

/** Removes what differs between any two runs of the same program. */
function withoutTime(text) {
  return text
    .replace(/"(createdAt|totalMs|engineMs|loadMs)": ?("[^"]*"|[\d.e+-]+)/g, '"$1":0')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'DATE')
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?/g, 'DATE')
    .replace(/\b\d+(\.\d+)? ?(ms|s|min)\b/g, 'TIME')
    .replace(/\b(time|timestamp)="[^"]*"/g, '$1=""')
    .replace(/"schemaVersion": ?"[^"]*"/g, '"schemaVersion":""');
}

function run(checkout, { args, out }) {
  const folder = mkdtempSync(join(tmpdir(), 'same-'));
  const outputs = out ? FORMS.flatMap((form) => ['-o', join(folder, `report.${form}`)]) : [];
  const script = join(checkout, 'bin/rope-eval.js');
  return new Promise((done) => {
    const options = { cwd: checkout, maxBuffer: 1 << 28, env: { ...process.env, NO_COLOR: '1' } };
    execFile(process.execPath, [script, ...args, ...outputs], options, (error, stdout, stderr) => {
      const files = readdirSync(folder)
        .sort()
        .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
      rmSync(folder, { recursive: true });
      const parts = {
        exit: String(error?.code ?? 0),
        stdout,
        stderr,
        ...Object.fromEntries(files),
      };
      const clean = (text) =>
        withoutTime(text.replaceAll(folder, 'OUT').replaceAll(checkout, 'ROOT'));
      done(Object.fromEntries(Object.entries(parts).map(([k, v]) => [k, clean(v)])));
    });
  });
}

/** @returns the first line that differs, from both texts */
function firstDifference(before, after) {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  const line = at < 0 ? a.length : at;
  return `line ${line + 1}\n    - ${(a[line] ?? '').slice(0, 200)}\n    + ${(b[line] ?? '').slice(0, 200)}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: 'string', default: 'quick' },
    only: { type: 'string', default: '' },
    saved: { type: 'string', default: join(tmpdir(), 'rope-eval-saved') },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || positionals.length !== 2 || !LEVELS.includes(values.level)) {
  console.log(
    'usage: same.js BEFORE AFTER [--level quick|standard|full] [--only TEXT] [--saved DIR]',
  );
  process.exit(values.help ? 0 : 2);
}
const [before, after] = positionals.map((p) => resolve(p));
mkdirSync(values.saved, { recursive: true });
let same = 0;
let different = 0;
for (const command of commands(values.level)) {
  const shown = command.args.join(' ');
  if (!shown.includes(values.only)) continue;
  const file = join(values.saved, `${createHash('sha256').update(shown).digest('hex')}.json`);
  let old;
  try {
    old = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    old = await run(before, command);
    writeFileSync(file, JSON.stringify(old));
  }
  const now = await run(after, command);
  const parts = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (part) => old[part] !== now[part],
  );
  if (parts.length === 0) same += 1;
  else {
    different += 1;
    console.log(`DIFFERS  ${shown}`);
    for (const part of parts)
      console.log(`  ${part}: ${firstDifference(old[part] ?? '', now[part] ?? '')}`);
  }
}
console.log(`${same} the same, ${different} different`);
process.exitCode = different ? 1 : 0;
