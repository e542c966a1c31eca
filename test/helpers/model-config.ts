import { readFileSync } from 'node:fs';

/** Text of a real config in fixtures/model-configs, by its name without `.json`. */
export function modelConfig(name: string): string {
  return readFileSync(
    new URL(`../../fixtures/model-configs/${name}.json`, import.meta.url),
    'utf8',
  );
}
