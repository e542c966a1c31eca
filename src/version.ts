import { readFileSync } from 'node:fs';

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Version of this package. */
export const TOOL_VERSION = version;

/**
 * Schema version of `inspect --json`. It is here because that command loads no schema. Additive
 * changes keep the major version.
 */
export const INSPECT_SCHEMA_VERSION = '1.4';
