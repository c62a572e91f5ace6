/** What the checks need to know of a source file, read with TypeScript's own parser. */
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { createVirtualFileSystem, type FileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lengthLines: number;
}

export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of string literals blanked out; same lines. */
  readonly code: string;
  /** Static, type-only, re-exporting and dynamic ones alike. */
  readonly imports: readonly Import[];
  readonly functions: readonly FunctionSpan[];
  /** Regular expressions as they are written: `/a+/u`. */
  readonly regexes: readonly { readonly literal: string; readonly line: number }[];
  /** How long timers wait, as it is written: the second argument of `setTimeout` and `setInterval`, the first of `AbortSignal.timeout`. */
  readonly delays: readonly { readonly written: string; readonly line: number }[];
  /** Names that are read as variables or types and not declared in the file. */
  readonly freeNames: readonly { readonly name: string; readonly line: number }[];
}

/** Parses files (path → text). Nothing is resolved and nothing is type-checked. */
export class Parser {
  // The compiler is a process of its own and asks back for every file; each call has a folder of its own, so that
  // nothing of an earlier one is remembered.
  #files: FileSystem = {};
  #calls = 0;
  readonly #api = new API({
    cwd: '/',
    fs: {
      readFile: (path) => this.#files.readFile?.(path) ?? null,
      fileExists: (path) => this.#files.fileExists?.(path) ?? false,
      directoryExists: (path) => this.#files.directoryExists?.(path) ?? false,
      getAccessibleEntries: (path) =>
        this.#files.getAccessibleEntries?.(path) ?? { files: [], directories: [] },
      realpath: (path) => path,
    },
  });

  parse(texts: Readonly<Record<string, string>>): SourceFile[] {
    this.#calls += 1;
    const folder = `/tidy-${this.#calls}`;
    const compilerOptions = { noResolve: true, noLib: true, types: [], target: 'esnext', module: 'nodenext' };
    const configuration = JSON.stringify({ compilerOptions, files: Object.keys(texts) });
    const virtual: Record<string, string> = { [`${folder}/tsconfig.json`]: configuration };
    for (const [path, text] of Object.entries(texts)) virtual[`${folder}/${path}`] = text;
    this.#files = createVirtualFileSystem(virtual);
    const snapshot = this.#api.updateSnapshot({ openProjects: [`${folder}/tsconfig.json`] });
    const program = snapshot.getProject(`${folder}/tsconfig.json`)?.program;
    return Object.entries(texts).map(([path, text]) => {
      const root = program?.getSourceFile(`${folder}/${path}`);
      if (root === undefined) throw new Error(`TypeScript did not give ${path} back.`);
      return read(path, text, root);
    });
  }

  /** Ends the compiler's process. */
  close(): void {
    this.#api.close();
  }
}

function read(path: string, text: string, root: Node): SourceFile {
  const lineOf = lineFinder(text);
  const imports: Import[] = [];
  const functions: FunctionSpan[] = [];
  const used: { name: string; line: number }[] = [];
  const declared = new Set<string>();
  const literals: [number, number][] = [];
  const delays: { written: string; line: number }[] = [];
  const regexes: { literal: string; line: number }[] = [];
  const visit = (node: Node): void => {
    const start = node.getStart();
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push({ specifier, line: lineOf(start) });
    if (isFunction(node)) {
      const lengthLines = lineOf(node.end) - lineOf(start) + 1;
      functions.push({ name: nameOf(node), line: lineOf(start), lengthLines });
    }
    if (isText(node)) literals.push([start, node.end]);
    if (node.kind === SyntaxKind.RegularExpressionLiteral) {
      regexes.push({ literal: text.slice(start, node.end), line: lineOf(start) });
    }
    const delay = delayOf(node);
    if (delay !== undefined) {
      delays.push({ written: text.slice(delay.getStart(), delay.end), line: lineOf(start) });
    }
    if (node.kind === SyntaxKind.Identifier) {
      const name = identifierText(node);
      if (declares(node)) declared.add(name);
      else if (reads(node)) used.push({ name, line: lineOf(start) });
    }
    node.forEachChild(visit);
  };
  visit(root);
  const freeNames = used.filter(({ name }) => !declared.has(name));
  return { path, text, code: blanked(text, literals), imports, functions, regexes, delays, freeNames };
}

function lineFinder(text: string): (position: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (position) => {
    const after = starts.findIndex((start) => start > position);
    return after === -1 ? starts.length : after;
  };
}

/** A child that the parser names, without knowing the type of its parent. */
function child(node: Node, name: string): Node | undefined {
  const value: unknown = Reflect.get(node, name);
  return typeof value === 'object' && value !== null && 'kind' in value ? (value as Node) : undefined;
}

function identifierText(node: Node): string {
  return String(Reflect.get(node, 'text'));
}

function specifierOf(node: Node): string | undefined {
  switch (node.kind) {
    case SyntaxKind.ImportDeclaration:
    case SyntaxKind.ExportDeclaration:
      return literalOf(child(node, 'moduleSpecifier'));
    case SyntaxKind.ImportType:
      return literalOf(child(child(node, 'argument') ?? node, 'literal'));
    case SyntaxKind.CallExpression: {
      if (child(node, 'expression')?.kind !== SyntaxKind.ImportKeyword) return undefined;
      const [argument]: readonly Node[] = Reflect.get(node, 'arguments');
      // An import whose target is computed cannot be checked, so it is one that nobody may have.
      return literalOf(argument) ?? '(computed)';
    }
    default:
      return undefined;
  }
}

/** What a timer is told to wait; undefined for everything that starts none. */
function delayOf(node: Node): Node | undefined {
  if (node.kind !== SyntaxKind.CallExpression) return undefined;
  const called = child(node, 'expression');
  const [first, second]: readonly Node[] = Reflect.get(node, 'arguments');
  if (called?.kind === SyntaxKind.Identifier) {
    return /^set(?:Timeout|Interval)$/.test(identifierText(called)) ? second : undefined;
  }
  const object = called === undefined ? undefined : child(called, 'expression');
  const member = called === undefined ? undefined : child(called, 'name');
  const isTimeout =
    object !== undefined &&
    member !== undefined &&
    `${identifierText(object)}.${identifierText(member)}` === 'AbortSignal.timeout';
  return isTimeout ? first : undefined;
}

function literalOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  const isLiteral =
    node.kind === SyntaxKind.StringLiteral || node.kind === SyntaxKind.NoSubstitutionTemplateLiteral;
  return isLiteral ? identifierText(node) : undefined;
}

const FUNCTIONS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

function isFunction(node: Node): boolean {
  return FUNCTIONS.has(node.kind);
}

function nameOf(node: Node): string {
  const own = child(node, 'name') ?? (node.parent === undefined ? undefined : child(node.parent, 'name'));
  if (node.kind === SyntaxKind.Constructor) return 'constructor';
  return own === undefined || Reflect.get(own, 'text') === undefined ? '(anonymous)' : identifierText(own);
}

const TEXTS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateHead,
  SyntaxKind.TemplateMiddle,
  SyntaxKind.TemplateTail,
  SyntaxKind.RegularExpressionLiteral,
]);

function isText(node: Node): boolean {
  return TEXTS.has(node.kind);
}

/** Is it the name in a declaration or an import? */
function declares(node: Node): boolean {
  const { parent } = node;
  if (parent === undefined || child(parent, 'name') !== node) return false;
  return !isMember(parent);
}

/** Is it read as a variable or a type, and not the name of a member? */
function reads(node: Node): boolean {
  const { parent } = node;
  if (parent === undefined) return false;
  if (isMember(parent) && child(parent, 'name') === node) return false;
  if (parent.kind === SyntaxKind.QualifiedName && child(parent, 'right') === node) return false;
  return child(parent, 'propertyName') !== node;
}

const MEMBERS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.PropertyAccessExpression,
  SyntaxKind.PropertyAssignment,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.PropertySignature,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.MethodSignature,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
  SyntaxKind.EnumMember,
  SyntaxKind.MetaProperty,
]);

function isMember(node: Node): boolean {
  return MEMBERS.has(node.kind);
}

/** Blanks literals by the parser's positions, then comments: what still looks like one is one. */
function blanked(text: string, literals: readonly [number, number][]): string {
  const units = text.split('');
  for (const [start, end] of literals) {
    for (let at = start + 1; at < end - 1; at += 1) if (units[at] !== '\n') units[at] = ' ';
  }
  return units.join('').replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '));
}
