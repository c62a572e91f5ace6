/** The pages of a list of AWS, at most `pagesMax`; `nextOf` says where the next one begins, undefined behind the last one. */
export async function* pages<Page, At = string>(
  pagesMax: number,
  ask: (at: At | undefined) => Promise<Page>,
  nextOf: (page: Page) => At | undefined,
): AsyncGenerator<Page> {
  let at: At | undefined;
  for (let count = 0; count < pagesMax; count += 1) {
    const page = await ask(at);
    yield page;
    at = nextOf(page);
    if (at === undefined) return;
  }
}
