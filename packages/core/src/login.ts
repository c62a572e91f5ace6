/** The name and the password of an address, as a header of HTTP's Basic scheme says them; undefined where it has neither. */
export function basicLogin({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const bytes = new TextEncoder().encode(`${plain(username)}:${plain(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** As it was before it was put into an address; where a percent sign means itself, as it stands. */
function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
