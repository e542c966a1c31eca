// Copies the tables that sources read as JSON (src/*/data) next to the compiled files.
import { cpSync, existsSync, readdirSync } from 'node:fs';

const root = new URL('../', import.meta.url);
for (const folder of readdirSync(new URL('src/', root))) {
  const data = new URL(`src/${folder}/data`, root);
  if (existsSync(data)) cpSync(data, new URL(`dist/${folder}/data`, root), { recursive: true });
}
