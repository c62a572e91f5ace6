/** The rules of the house as data. `checks.ts` applies them, `tidy.test.ts` runs them over the repository. */

export interface PackageRule {
  /**
   * L0 is what everybody needs, L1 knows formats, L2 holds the seams, L3 builds on them, L4 are the pages, L5 puts
   * everything together.
   */
  readonly level: 0 | 1 | 2 | 3 | 4 | 5;
  /** Packages of ours that it may import; type imports count. */
  readonly mayImport: readonly string[];
  /** Where in `src` it may use `node:` modules and Node's globals; absent means everywhere. */
  readonly nodeOnlyIn?: RegExp;
  /** Where in `src` it may use the DOM's globals; absent means nowhere. */
  readonly domOnlyIn?: RegExp;
}

const NOWHERE = /(?!)/;

/** Who may import whom. Arrows only go down; packages of one level never see each other. */
export const PACKAGES: Readonly<Record<string, PackageRule>> = {
  core: { level: 0, mayImport: [], nodeOnlyIn: NOWHERE },
  protocol: { level: 1, mayImport: [], nodeOnlyIn: NOWHERE },
  audio: { level: 1, mayImport: ['core'], nodeOnlyIn: /^file\// },
  transport: {
    level: 2,
    mayImport: ['core'],
    nodeOnlyIn: /^(ws\/node|frames\/|doors\/|proxy\/)/,
    domOnlyIn: /^ws\/browser/,
  },
  engine: { level: 1, mayImport: [] },
  'engine-local': { level: 2, mayImport: ['core', 'engine'] },
  server: { level: 3, mayImport: ['core', 'protocol', 'audio', 'transport', 'engine'] },
  bridge: { level: 3, mayImport: ['core', 'transport'] },
  sagemaker: { level: 3, mayImport: ['core', 'transport'] },
  deploy: { level: 3, mayImport: ['core'] },
  client: {
    level: 3,
    mayImport: ['core', 'protocol', 'audio', 'transport'],
    nodeOnlyIn: NOWHERE,
    domOnlyIn: /./,
  },
  'engine-upstream': { level: 4, mayImport: ['core', 'audio', 'engine', 'transport', 'client'] },
  web: {
    level: 4,
    mayImport: ['core', 'protocol', 'audio', 'transport', 'client'],
    nodeOnlyIn: /^index\.ts$/,
    domOnlyIn: /./,
  },
  cli: {
    level: 5,
    mayImport: [
      'core',
      'protocol',
      'audio',
      'transport',
      'engine',
      'engine-local',
      'engine-upstream',
      'server',
      'bridge',
      'sagemaker',
      'deploy',
      'client',
      'web',
    ],
  },
};

/** What only one file may load, with what must happen before. Everybody may take its types. */
export const LOADED_ONLY_IN: Readonly<Record<string, { readonly path: string; readonly reason: string }>> = {
  'onnxruntime-node': {
    path: 'packages/engine-local/src/onnx/runtime.ts',
    reason: 'it reports to its maker unless that was switched off before',
  },
};

/** Globals of Node that are not in browsers. */
export const NODE_GLOBALS: ReadonlySet<string> = new Set([
  'Buffer',
  'process',
  'require',
  'module',
  '__dirname',
  '__filename',
  'global',
  'setImmediate',
  'clearImmediate',
]);

/** Globals of browsers that are not on Node. */
export const DOM_GLOBALS: ReadonlySet<string> = new Set([
  'document',
  'window',
  'navigator',
  'location',
  'localStorage',
  'sessionStorage',
  'requestAnimationFrame',
  'AudioContext',
  'AudioWorkletNode',
  'HTMLElement',
  'XMLHttpRequest',
  'WebSocket',
]);

/** Longest file, in lines. Exempt: data that is longer by its nature, with the reason. */
export const FILE_LINES_MAX = 450;
export const LONG_FILES: Readonly<Record<string, string>> = {};

/**
 * Longest function, in lines. Exempt by name: tables and exhaustive switches, with the reason. Exempt by folder:
 * conformance suites, whose functions are lists of tests.
 */
export const FUNCTION_LINES_MAX = 70;
export const LISTS_OF_TESTS = /\/src\/conformance\//;
export const LONG_FUNCTIONS: Readonly<Record<string, string>> = {};

/** A file is named by the noun a reader would look for. */
export const BANNED_FILE_NAMES = /^(utils?|helpers?|types?|common|misc|shared)\.ts$/;

export interface BannedWord {
  readonly pattern: RegExp;
  /** What to do instead. */
  readonly instead: string;
  /** Where it is looked for; absent means everywhere. */
  readonly onlyIn?: RegExp;
  /** Files (from the repository's root) where it is right, each with its reason. */
  readonly allowed?: Readonly<Record<string, string>>;
  /** Look into comments as well; otherwise only into code. */
  readonly inComments?: boolean;
}

export const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: /\bas any\b|<any>|:\s*any\b/, instead: 'unknown, and a check' },
  {
    pattern: /\bJSON\.parse\b/,
    // The other packages never see the wire.
    onlyIn: /^packages\/(protocol|transport|sagemaker|deploy|server|client|cli)\//,
    instead: 'parseClientEvent or parseServerEvent for what came over the wire',
    allowed: {
      'packages/protocol/src/parse-json.ts': 'the one decoder of wire text',
      'packages/cli/src/logging.ts': 'a log line that pino has just written',
      'packages/cli/src/program.ts': 'its own package.json',
      'packages/cli/src/sagemaker/local-notice.ts': 'the file that its own command has left',
      'packages/cli/src/audio/microphone.ts': 'the line that its own recorder process prints',
      'packages/server/src/dialects/json-object.ts': 'the one decoder of messages of other dialects',
      'packages/server/src/http/json-body.ts': 'the one decoder of bodies of HTTP requests',
      'packages/server/src/version.ts': 'its own package.json',
    },
  },
  {
    pattern: /\bconsole\s*\./,
    instead: 'the Logger that the package was given; the cli writes to its streams',
  },
  {
    pattern: /\bprocess\.exit\b/,
    instead: 'returning the exit code, so that everything is closed',
    allowed: { 'packages/cli/src/process-context.ts': 'the second Ctrl-C ends at once' },
  },
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, instead: 'doing it, or an issue', inComments: true },
  { pattern: /@ts-(ignore|nocheck|expect-error)/, instead: 'a type that is right', inComments: true },
  { pattern: /\bexport \*/, instead: 'explicit named exports' },
  { pattern: /\bexport default\b/, instead: 'a named export' },
  { pattern: /\bPromise\.withResolvers\b|\bArray\.fromAsync\b/, instead: 'what Node 20 has' },
  { pattern: /\bnew Promise\(\s*async\b/, instead: 'an async function' },
  { pattern: /\beval\(|\bnew Function\(/, instead: 'code that is there when it is built' },
];

/** Waits that are written so may be given to a timer: a number, a constant, a member of our limits, or one that is bounded. */
export const BOUNDED_DELAY = /^(?:\d[\d_]*|[A-Z][A-Z\d_]*(?:\.\w+)?|timerMs\([\s\S]*\))$/;

/** Where another one may, with the reason. `timerMs` is of `transport`, which these packages do not know. */
export const OTHER_DELAYS: Readonly<Record<string, string>> = {
  'packages/audio/src/file/stall-watch.ts': 'its constructor bounds it',
  'packages/deploy/src/artefacts/watchdog.ts': 'constants of its callers',
  'packages/deploy/src/image/program.ts': 'constants of its callers',
  'packages/engine/src/recognition/engine-clock.ts': 'constants of its callers',
};

/** Where `setTimeout` of `node:timers/promises` may be taken, with the reason. */
export const OTHER_WAITS: Readonly<Record<string, string>> = {
  'packages/deploy/src/artefacts/file-digest.ts': 'it takes setImmediate',
  'packages/deploy/src/artefacts/retry.ts': 'a longer wait than its bound is not made',
  'packages/deploy/src/clock.ts': 'its callers wait for constants, and doubled ones up to a constant',
  'packages/engine-local/src/store/hub-source.ts': 'a constant, doubled a few times',
  'packages/engine-local/src/store/npm-source.ts': 'a constant, doubled a few times',
};
