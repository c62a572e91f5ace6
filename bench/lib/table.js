/** What benches read from the command line, and the tables that they print. */

/** What follows `--name`, or `fallback`. */
export function argument(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function say(text) {
  process.stdout.write(`${text}\n`);
}

export function row(cells) {
  say(`| ${cells.join(' | ')} |`);
}

export function header(cells) {
  row(cells);
  row(cells.map((_, index) => (index === 0 ? '---' : '---:')));
}
