/** The engine measures no confidence of words: it is sure, or it says that it is not. */
const SURE = 1;
const UNSURE = 0.5;

/** What clients that want a number are told of each word. */
export function confidenceOf({ isUnsure }: { readonly isUnsure: boolean }): number {
  return isUnsure ? UNSURE : SURE;
}
