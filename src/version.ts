import { readFileSync } from 'node:fs';

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Version of this package. */
export const TOOL_VERSION = version;

/** Version of `inspect --json`. It stands here because that command loads no schema. */
export const INSPECT_SCHEMA_VERSION = '1.4';
