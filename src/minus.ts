/** A true minus sign: a hyphen is easily lost beside a number. */
export const MINUS = '−';

/** -0.08 → `−0.080` */
export function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace('-', MINUS);
}
