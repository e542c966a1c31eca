/** How numbers, lists and shell words are written. This file imports nothing. */

/** A true minus sign, because a hyphen is easily overlooked beside a number. */
export const MINUS = '−';

/** -0.08 → `−0.080` */
export function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace('-', MINUS);
}

/** 131072 → `131,072` */
export function tokens(count: number): string {
  // This does not use toLocaleString, which first loads the tables of all languages.
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** 0.974 → `97 %` */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Rounds to at most `digits` digits after the point and drops trailing zeros. */
export function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** Counts things whose plural only adds an s: `1 context`, `1,024 tokens`. */
export function counted(count: number, thing: string): string {
  return `${tokens(count)} ${thing}${count === 1 ? '' : 's'}`;
}

/** Lists for people: `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** Longer words are not compared, because the work grows with the product of the lengths. */
const MAX_WORD = 64;

/** Computes the Levenshtein distance, counting a swap of two neighbouring letters as one edit. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * Returns the known word that was probably meant, or undefined. Case, `-` and `_` are ignored.
 * Otherwise one edit is allowed in short words, and up to a quarter of the letters in long ones.
 */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const wanted = plain(word);
  const allowed = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 4));
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of known) {
    const other = plain(candidate);
    // Each extra letter costs an edit, so this word cannot win.
    if (Math.abs(other.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, other);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Returns ` (did you mean "yarn"?)`, or '' if no known word is close. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const found = suggest(word, known);
  return found === undefined ? '' : ` (did you mean "${found}"?)`;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Quotes one argument for a POSIX shell: a path may have spaces, a candidate may be JSON. */
export function quote(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
