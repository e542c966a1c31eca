import { randomInt } from 'node:crypto';

/** Styles that output for people uses, with the SGR codes that switch each on and off (ECMA-48). */
const STYLES = Object.freeze({
  bold: [[1], [22]],
  dim: [[2], [22]],
  red: [[31], [39]],
  green: [[32], [39]],
  yellow: [[33], [39]],
  cyan: [[36], [39]],
  boldRed: [
    [1, 31],
    [39, 22],
  ],
  boldGreen: [
    [1, 32],
    [39, 22],
  ],
} as const);

export type Style = keyof typeof STYLES;

/** Puts a text into a style; without colour it gives the text back. */
export type Paint = Readonly<Record<Style, (text: string) => string>>;

/**
 * A number that no file can know, as further parameters of each code. The stream lets codes with
 * this number through and no other, so that an escape sequence from a config never reaches a
 * terminal, also where colour is on.
 */
const TOKEN = Array.from({ length: 3 }, () => String(randomInt(1000, 10_000))).join(';');

/** @param color whether the text is for a terminal that shows colour */
export function paint(color: boolean): Paint {
  return color ? COLOURED : PLAIN;
}

const PLAIN = forEachStyle(() => (text) => text);

const COLOURED = forEachStyle((style) => {
  const [on, off] = STYLES[style];
  // A style that ends inside of another one starts the other one again at its next code only, so
  // each line carries its own codes: tables cut texts at line breaks.
  return (text) =>
    text
      .split('\n')
      .map((line) => (line === '' ? line : `${codes(on)}${line}${codes(off)}`))
      .join('\n');
});

function codes(list: readonly number[]): string {
  return list.map((code) => `\u001b[${code};${TOKEN}m`).join('');
}

function forEachStyle(make: (style: Style) => (text: string) => string): Paint {
  const styles = Object.keys(STYLES) as Style[];
  return Object.freeze(Object.fromEntries(styles.map((style) => [style, make(style)]))) as Paint;
}

/** Our own codes in a text; the first group is the SGR code. */
export const OWN_CODE = new RegExp(`\\u001b\\[(\\d{1,2});${TOKEN}m`, 'g');
