/** The part of npm's configuration reader in use; the packages carry no types. */
declare module '@npmcli/config' {
  export default class Config {
    constructor(options: {
      readonly npmPath: string;
      readonly definitions: unknown;
      readonly shorthands: unknown;
      readonly flatten: unknown;
      readonly argv: readonly string[];
      readonly env: Record<string, string | undefined>;
      readonly cwd: string;
      readonly execPath: string;
      readonly platform: string;
    });
    load(): Promise<void>;
    /** Options in the form that npm's libraries take. */
    get flat(): Readonly<Record<string, unknown>>;
  }
}

declare module '@npmcli/config/lib/definitions/index.js' {
  const content: { readonly definitions: unknown; readonly shorthands: unknown; readonly flatten: unknown };
  export default content;
}
