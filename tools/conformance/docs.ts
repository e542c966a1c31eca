import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// tsx tools/conformance/docs.ts
//
// Writes the contents of results.json into docs/engines.md, between the marks.

export const BEGIN = '<!-- made by tools/conformance/docs.ts -->';
export const END = '<!-- end of what it made -->';

interface Result {
  /**
   * `same`: tables and length are as intended. `refused`: emit has no settings. `unsupported`: the
   * version does not know the model. Anything else is an error in what emit writes.
   */
  readonly status: 'same' | 'refused' | 'unsupported' | 'differs' | 'failed';
  readonly error?: number | string;
  /** Tokens that the engine serves if no length is set. */
  readonly ownLength?: number;
  /** Tokens that it serves with the printed settings. */
  readonly acceptedLength?: number;
}

type Shapes = Readonly<Record<string, Readonly<Record<string, Result>>>>;

/** Results by engine, version, shape and candidate. */
export type Results = Readonly<Record<string, Readonly<Record<string, Shapes>>>>;

const NAMES: Readonly<Record<string, string>> = {
  hf: 'transformers',
  vllm: 'vLLM',
  sglang: 'SGLang',
  'llama.cpp': 'llama.cpp',
};

/** Makes the part of the page that comes from the results. */
export function conformanceText(results: Results): string {
  return [
    ...versionLines(results),
    '',
    'Model shapes for which the tables and the length are as meant, of those that the newest of these versions knows. emit refuses the rest, or a fault below names it:',
    '',
    ...outcomeTable(results),
    '',
    'What emit refuses for these versions, because the engine has no words for it (`--engine-version` asks for an older one):',
    '',
    ...refusedLines(results),
    '',
    'Tokens that an engine serves for the shape `qwen2.5` (32,768 tokens), asked for the length on the command line, and asked for none:',
    '',
    ...lengthTable(results),
    '',
    ...faultLines(results),
  ].join('\n');
}

function versionLines(results: Results): string[] {
  return Object.entries(results).map(([engine, versions]) => {
    const all = Object.values(versions).flatMap((shapes) => resultsOf(shapes));
    const ran = all.filter(({ status }) => status !== 'refused' && status !== 'unsupported');
    const same = ran.filter(({ status }) => status === 'same');
    const errors = same.flatMap(({ error }) => (typeof error === 'number' ? [error] : []));
    return `- **${nameOf(engine)} ${ordered(versions).join(', ')}**: ${same.length} of ${ran.length} settings as meant; largest ${engine === 'llama.cpp' ? 'difference of a log-probability' : 'relative error'} ${Math.max(...errors)}`;
  });
}

function outcomeTable(results: Results): string[] {
  const newest = Object.entries(results).map(
    ([engine, versions]) => [engine, versions[newestOf(versions)] ?? {}] as const,
  );
  const rows = rowsOf(results, (candidate) =>
    newest.map(([, shapes]) => {
      const statuses = Object.values(shapes).map((each) => each[candidate]?.status);
      const count = (status: string): number => statuses.filter((each) => each === status).length;
      const known = statuses.length - count('unsupported');
      return `${count('same')} of ${known}`;
    }),
  );
  return table(['', ...newest.map(([engine]) => nameOf(engine))], rows);
}

function lengthTable(results: Results): string[] {
  const engines = Object.entries(results).filter(([engine]) => engine !== 'hf');
  const rows = rowsOf(results, (candidate) =>
    engines.map(([, versions]) => {
      const result = versions[newestOf(versions)]?.['qwen2.5']?.[candidate];
      if (result?.acceptedLength === undefined) return '-';
      const own = result.ownLength === undefined ? '' : `, ${tokens(result.ownLength)}`;
      return `${tokens(result.acceptedLength)}${own}`;
    }),
  );
  return table(['', ...engines.map(([engine]) => nameOf(engine))], rows);
}

/** Makes the rows of a table. Candidates with the same cells share one. */
function rowsOf(results: Results, cellsOf: (candidate: string) => string[]): string[][] {
  const alike = new Map<string, { candidates: string[]; cells: string[] }>();
  for (const candidate of candidatesOf(results)) {
    const cells = cellsOf(candidate);
    const row = alike.get(cells.join()) ?? { candidates: [], cells };
    row.candidates.push(candidate);
    alike.set(cells.join(), row);
  }
  return [...alike.values()].map(({ candidates, cells }) => [candidates.join(', '), ...cells]);
}

/** Lists the faults of each version, with one line for each message. */
function faultLines(results: Results): string[] {
  const lines = Object.entries(results).flatMap(([engine, versions]) =>
    ordered(versions).flatMap((version) => {
      const shapes = versions[version] ?? {};
      const isFault = ({ status }: Result): boolean => status === 'failed' || status === 'differs';
      const messageOf = ({ error }: Result): string =>
        String(error).slice(0, 100).replaceAll('`', "'");
      const messages = pairsOf(shapes).flatMap(([, , result]) =>
        isFault(result) ? [messageOf(result)] : [],
      );
      return [...new Set(messages)].map((message) => {
        const groups = grouped(
          candidatesOf(results),
          shapes,
          (_shape, _candidate, result) => isFault(result) && messageOf(result) === message,
        );
        return `- ${nameOf(engine)} ${version}, ${groups.join('; ')}: \`${message}\``;
      });
    }),
  );
  if (lines.length === 0)
    return ['None of these versions reads a printed setting otherwise than it is meant.'];
  return ['What is printed and not yet as meant:', '', ...lines];
}

function refusedLines(results: Results): string[] {
  return Object.entries(results).map(([engine, versions]) => {
    const parts = grouped(
      candidatesOf(results),
      versions[newestOf(versions)] ?? {},
      (_shape, _candidate, { status }) => status === 'refused',
    );
    return `- ${nameOf(engine)}: ${parts.length === 0 ? 'nothing' : parts.join('; ')}`;
  });
}

/** Groups candidates with the same shapes: `candidate, candidate (shape, shape)`. */
function grouped(
  candidates: readonly string[],
  shapes: Shapes,
  isMeant: (shape: string, candidate: string, result: Result) => boolean,
): string[] {
  const groups = new Map<string, string[]>();
  for (const candidate of candidates) {
    const names = Object.entries(shapes).flatMap(([shape, each]) => {
      const result = each[candidate];
      return result !== undefined && isMeant(shape, candidate, result) ? [shape] : [];
    });
    if (names.length === 0) continue;
    const all = names.length === Object.keys(shapes).length;
    const key = all ? 'every shape' : names.join(', ');
    groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  return [...groups].map(([names, alike]) => `${alike.join(', ')} (${names})`);
}

function candidatesOf(results: Results): string[] {
  const [versions = {}] = Object.values(results);
  const [shapes = {}] = Object.values(versions);
  const [candidates = {}] = Object.values(shapes);
  return Object.keys(candidates);
}

function pairsOf(shapes: Shapes): (readonly [string, string, Result])[] {
  return Object.entries(shapes).flatMap(([shape, candidates]) =>
    Object.entries(candidates).map(([candidate, result]) => [shape, candidate, result] as const),
  );
}

function resultsOf(shapes: Shapes): Result[] {
  return pairsOf(shapes).map(([, , result]) => result);
}

function ordered(versions: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(versions).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function newestOf(versions: Readonly<Record<string, unknown>>): string {
  return ordered(versions).at(-1) ?? '';
}

function nameOf(engine: string): string {
  return NAMES[engine] ?? engine;
}

function tokens(count: number): string {
  return count.toLocaleString('en');
}

/** Makes a Markdown table, with columns padded as the formatter pads them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

/** Replaces the generated part of a page. */
export function renewed(page: string, results: Results): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/engines.md has no ${BEGIN} and ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${conformanceText(results)}\n\n${page.slice(to)}`;
}

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) {
  const results = JSON.parse(
    readFileSync(fileURLToPath(new URL('results.json', import.meta.url)), 'utf8'),
  ) as Results;
  const page = fileURLToPath(new URL('../../docs/engines.md', import.meta.url));
  writeFileSync(page, renewed(readFileSync(page, 'utf8'), results));
}
