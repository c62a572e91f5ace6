/** What outlives a page: in this browser, or in this tab alone. */
type Place = 'browser' | 'tab';

/** What was remembered; undefined where there is nothing, or where the browser keeps nothing at all. */
export function recall(name: string, place: Place = 'browser'): string | undefined {
  try {
    return storageOf(place).getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers it; undefined: forgets it. Where storage is switched off it holds until the page is left. */
export function remember(name: string, value: string | undefined, place: Place = 'browser'): void {
  try {
    if (value === undefined) storageOf(place).removeItem(name);
    else storageOf(place).setItem(name, value);
  } catch {
    // Nothing is kept here.
  }
}

/** Reading the very name throws where it is switched off. */
function storageOf(place: Place): Storage {
  return place === 'browser' ? localStorage : sessionStorage;
}
