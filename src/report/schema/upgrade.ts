import { isRecord, type UnknownRecord } from '../../json/parse.js';

/** What version 2.0 calls a report; another one would make a circle with the schema. */
const CURRENT = '2.0';

/**
 * A saved report in the present form. Version 1 knew one subject, under the name of `probeModel`;
 * everything else of it still stands as it was.
 *
 * @param value anything; what is no report of version 1 is returned as it is
 */
export function upgradeReport(value: unknown): unknown {
  if (!isRecord(value) || !/^1\.[0-6]$/.test(String(value['schemaVersion']))) return value;
  const entries = Object.entries(value).map(([key, own]): [string, unknown] => {
    if (key === 'schemaVersion') return [key, CURRENT];
    if (key === 'probeModel' && isRecord(own))
      return ['subject', { kind: 'probe-model', ...own } satisfies UnknownRecord];
    return [key, own];
  });
  return Object.fromEntries(entries);
}
