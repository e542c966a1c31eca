import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Texts written for this project (texts/README.md), in the order of their names. */
const FOLDER = fileURLToPath(new URL('../../../texts/', import.meta.url));

/** @returns one text a document */
export async function bundledTexts(): Promise<string[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.txt')).sort();
  return Promise.all(names.map((name) => readFile(`${FOLDER}${name}`, 'utf8')));
}
