/**
 * Fails if files of src/ import each other in a circle, even if only for types. Files in a circle
 * cannot be read in any order that avoids forward references.
 *
 *     node tools/circles.js [--folders]   --folders prints what each folder imports
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', 'src');

/** Matches import and export declarations, and dynamic imports. */
const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g;

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/**
 * Lists what a file needs to be read or loaded. Dynamic imports, `await import(…)`, are loaded
 * later.
 */
function importsOf(file, onDemand) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(IMPORT)].flatMap(([, declared, demanded]) => {
    const path = declared ?? (onDemand ? demanded : undefined);
    if (!path?.startsWith('.')) return [];
    return [resolve(dirname(file), path.replace(/\.js$/, '.ts'))];
  });
}

const files = filesIn(root);
const name = (file) => relative(root, file);

if (process.argv.includes('--folders')) {
  const folderOf = (file) => name(file).split('/').slice(0, -1)[0] ?? name(file);
  const found = new Map();
  for (const file of files) {
    const from = folderOf(file);
    const to = found.get(from) ?? new Set();
    for (const each of importsOf(file, true)) if (folderOf(each) !== from) to.add(folderOf(each));
    found.set(from, to);
  }
  for (const [from, to] of [...found].sort()) console.log(`${from}: ${[...to].sort().join(' ')}`);
}

const graph = new Map(files.map((file) => [file, importsOf(file, false)]));
const circles = new Set();
const state = new Map();

function visit(file, path) {
  if (state.get(file) === 'done') return;
  if (state.get(file) === 'open') {
    const circle = path.slice(path.indexOf(file)).map(name);
    const first = circle.indexOf([...circle].sort()[0]);
    circles.add([...circle.slice(first), ...circle.slice(0, first)].join(' → '));
    return;
  }
  state.set(file, 'open');
  for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
  state.set(file, 'done');
}

for (const file of files) visit(file, []);
for (const circle of circles) console.error(`circle: ${circle} → ${circle.split(' → ')[0]}`);
process.exitCode = circles.size > 0 ? 1 : 0;
