/** Larger job summaries are dropped whole: https://github.com/actions/runner/issues/1839 */
const SUMMARY_BYTES = 1024 * 1024;
const CUT = '\n\n_Cut here: a job summary holds at most 1 MiB. The saved reports have the rest._\n';

/** Markdown for `$GITHUB_STEP_SUMMARY`, cut at a line's end where it would be too long. */
export function stepSummary(markdown: string, bytes = SUMMARY_BYTES): string {
  const encoded = Buffer.from(markdown, 'utf8');
  if (encoded.length <= bytes) return markdown;
  const room = encoded.subarray(0, bytes - Buffer.byteLength(CUT)).toString('utf8');
  return room.slice(0, Math.max(0, room.lastIndexOf('\n'))) + CUT;
}
