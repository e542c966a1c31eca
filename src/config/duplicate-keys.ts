/** A key that an object has twice, and where: the path of the object, as in findings. */
export interface DuplicateKey {
  readonly path: string;
}

/** Enough to see what happened; a machine-made file could repeat any number. */
const MAX_REPORTED = 20;

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},:]/g;

/**
 * Keys written twice in one object. JSON.parse and Python keep the last value in silence, so that
 * an edit of the first one has no effect.
 *
 * @param json a text that JSON.parse accepts
 */
export function duplicateKeys(json: string): readonly DuplicateKey[] {
  const found: DuplicateKey[] = [];
  // One entry per open bracket; lists have no keys.
  const open: { readonly keys: Set<string> | undefined; key: string; index: number }[] = [];
  let text = '';
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(json); match !== null; match = TOKEN.exec(json)) {
    const [token] = match;
    const inside = open.at(-1);
    if (token === '{') open.push({ keys: new Set(), key: '', index: 0 });
    else if (token === '[') open.push({ keys: undefined, key: '', index: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && inside !== undefined) inside.index++;
    else if (token === ':' && inside?.keys !== undefined) {
      inside.key = text;
      if (inside.keys.has(text)) {
        if (found.length < MAX_REPORTED) found.push({ path: pathOf(open) });
      } else inside.keys.add(text);
    } else if (token.startsWith('"')) text = JSON.parse(token) as string;
  }
  return found;
}

function pathOf(
  open: readonly { keys: Set<string> | undefined; key: string; index: number }[],
): string {
  return open
    .map(({ keys, key, index }) => (keys === undefined ? `[${index}]` : `.${key}`))
    .join('')
    .slice(1);
}
