/** 131072 → `131,072` */
export function tokens(count: number): string {
  // Not toLocaleString: it loads the tables of all languages first.
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}
