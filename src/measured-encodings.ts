import { loadEncodings } from './engine/encodings.js';
import { damaged, parseBundled, readBundled } from './engine/family.js';
import { EncodingsSchema, type EncodingsReport } from './report/encodings-schema.js';

const FILE = 'encodings-measured.json';

/**
 * The comparison as it was measured when the twins were bundled, for answers without a runtime:
 * `rope-eval encodings --preset thorough -o encodings-measured.json`.
 *
 * @throws RopeEvalError exit 3 where it is missing or of other twins
 */
export async function measuredEncodings(): Promise<EncodingsReport> {
  const report = parseBundled(FILE, await readBundled(FILE), EncodingsSchema);
  const { rope, twins } = await loadEncodings();
  const measured = new Set(report.rows.map((row) => row.weightsSha256));
  if (![rope, ...twins].every((twin) => measured.has(twin.weightsSha256)))
    throw damaged(`${FILE} was measured on other twins than encodings.json names`);
  return report;
}
