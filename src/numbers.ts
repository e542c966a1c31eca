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

/** Lists for people: `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
