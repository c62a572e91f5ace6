import { CliError } from '../errors.js';

/** Where others find a server that stands behind something: the address of its page, ending in a slash. Throws `CliError` `usage`. */
export function publicUrl(text: string, label: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPage =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '');
  if (!isPage) {
    throw new CliError(
      'usage',
      `${label} must be the address of the page as others open it, such as https://stt.example.com/stt/.`,
    );
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}
