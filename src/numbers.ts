/** A true minus sign: a hyphen is easily lost beside a number. */
export const MINUS = '−';

/** -0.08 → `−0.080` */
export function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace('-', MINUS);
}

/** 131072 → `131,072` */
export function tokens(count: number): string {
  // Not toLocaleString: it loads the tables of all languages first.
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** 0.974 → `97 %` */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** At most so many digits after the point, without trailing zeros. */
export function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
