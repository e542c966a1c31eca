/** `org/name` as the Hugging Face Hub spells it: two parts of letters, digits, `-`, `_` and `.`. */
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** The model's name where an argument can only be one: a `.json` file never is. */
export function hubId(argument: string): string | undefined {
  return HUB_ID.test(argument) && !/\.jsonc?$/i.test(argument) ? argument : undefined;
}

/** `https://huggingface.co/org/name/…` → `org/name` */
export function hubIdFromUrl(url: string): string | undefined {
  const match = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/?#]+\/[^/?#]+)/i.exec(url);
  return match?.[1] === undefined ? undefined : hubId(match[1]);
}

/** One config is a few kB: there is no need for the weights. */
export function whatToDownload(id: string): string {
  return (
    'Download its config first (a few kB, no weights), then give its path:\n' +
    `    hf download ${id} config.json --local-dir .\n` +
    `    curl -L -o config.json https://huggingface.co/${id}/resolve/main/config.json`
  );
}
