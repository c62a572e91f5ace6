/**
 * Words that differ between two texts: substitutions, insertions and deletions of the cheapest alignment, over
 * lower-case words without punctuation. Cost: the product of the two lengths.
 */
export function wordErrors(text: string, expected: string): number {
  const said = plainWords(text);
  const wanted = plainWords(expected);
  let row = wanted.map((_, column) => column + 1);
  said.forEach((word, index) => {
    let diagonal = index;
    let left = index + 1;
    row = wanted.map((want, column) => {
      const above = row[column] ?? 0;
      const cost = Math.min(diagonal + (word === want ? 0 : 1), above + 1, left + 1);
      diagonal = above;
      left = cost;
      return cost;
    });
  });
  return row.at(-1) ?? said.length;
}

function plainWords(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}
