/** Figures as people read them, and the small drawings of the status row. Plain text, no escapes. */

/** `7` → `0:07`, `3725` → `1:02:05`. Whole seconds, rounded down. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** `63_400_000` → `63.4 MB`. Decimal units, as disks and networks count. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `1234` → `1.2 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `0.25` → `0.25 of a processor`, `1.5` → `1.5 processors`. */
export function processors(count: number): string {
  const text = String(Number(count.toFixed(2)));
  if (count < 1) return `${text} of a processor`;
  return `${text} processor${text === '1' ? '' : 's'}`;
}

/** A bar of `cells` cells filled to `fraction` (0…1, clamped), in eighths of a cell. */
export function progressBar(fraction: number, cells: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * cells * 8);
  const full = Math.floor(eighths / 8);
  const part = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  return `${'█'.repeat(full)}${part}`.padEnd(cells, '░');
}

/** How loud: −60 dBFS and below is empty, 0 dBFS is full. */
export function levelFraction(levelDb: number): number {
  return Math.min(1, Math.max(0, (levelDb + 60) / 60));
}

/** The last `cells` levels as little columns, newest on the right. */
export function levelHistory(levelsDb: readonly number[], cells: number): string {
  const columns = ' ▁▂▃▄▅▆▇█';
  return levelsDb
    .slice(-cells)
    .map((level) => columns[Math.round(levelFraction(level) * (columns.length - 1))] ?? ' ')
    .join('')
    .padStart(cells);
}
