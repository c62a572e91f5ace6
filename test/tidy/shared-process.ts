/**
 * Test files that share a process (`SHARED` without `ALONE` in vitest.config.ts) take back what they replace in it:
 * otherwise a file fails for what another one did before.
 */

/** What replaces something for the whole process → what takes it back. */
const TAKEN_BACK: ReadonlyArray<readonly [RegExp, RegExp]> = [
  [/\bvi\.stubGlobal\(/, /\bvi\.unstubAllGlobals\b/],
  [/\bvi\.stubEnv\(/, /\bvi\.unstubAllEnvs\b/],
  [/\bvi\.useFakeTimers\(/, /\bvi\.useRealTimers\b/],
];

/** Nothing takes these back for whoever has imported the module already, or nobody would see that it did not happen. */
const NEVER =
  /\bvi\.(?:mock|doMock|resetModules|hoisted)\(|\bprocess\.(?:chdir|umask)\(|\b(?:delete )?process\.env(?:\.\w+|\['\w+'\]|\[\w+\])(?: =(?!=)|;)|^\s*globalThis\.\w+ =(?!=)/m;

/** The files of vitest's pattern: `**` is any folders, `*` any part of a name, `{a,b}` one of these. */
export function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replaceAll('.', '\\.')
    .replaceAll('**/', '(?:.+/)?')
    .replaceAll(/(?<!\))\*/g, '[^/]*')
    .replaceAll(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(',', '|')})`);
  return new RegExp(`^${source}$`).test(path);
}

/** @param text The file's; `path` from the repository's root. */
export function checkSharedProcess(path: string, text: string): string[] {
  const problems = TAKEN_BACK.filter(([made, undone]) => made.test(text) && !undone.test(text)).map(
    ([, undone]) =>
      `${path} shares its process and never calls ${undone.source.replaceAll(/\\[b]|\\/g, '')}.`,
  );
  const [found] = NEVER.exec(text) ?? [];
  if (found !== undefined) {
    problems.push(`${path} shares its process: ${found.trim()} wants a place in ALONE of vitest.config.ts.`);
  }
  return problems;
}
