/**
 * Where this page's server is, with a slash at its end: beside the page, so that everything is found as well where a proxy
 * shows the server below a path of its own.
 */
export function serverAddress(): string {
  return new URL('.', location.href).href;
}
