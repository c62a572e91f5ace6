import type { Context } from './context.js';
import type { OptionSpecs, OptionValues } from './options.js';

/** A word on the command line that is no flag. */
export interface Operand {
  /** As shown in the usage line, e.g. `file`. */
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** As many words as there are, also such that look like flags where `--` stands before them. Only the last operand. */
  readonly isList?: boolean;
}

/** What a command file exports: everything `--help` shows, and what to run. */
export interface CommandDefinition<S extends OptionSpecs = OptionSpecs> {
  readonly summary: string;
  /** Only the last may be optional. */
  readonly operands: readonly Operand[];
  readonly options: S;
  /** Whole command lines, shown below the help. */
  readonly examples: readonly string[];
  /** What it is run for stands on stdout: it does not begin where nobody would get that. */
  readonly isForOutput?: true;
  /** Does the work. Resolves with the exit code, or rejects (see `endingOf`). Reads and writes through `context` only. */
  run(input: CommandInput<S>, context: Context): Promise<number>;
}

/** What was typed, checked. */
export interface CommandInput<S extends OptionSpecs> {
  readonly operands: readonly string[];
  readonly options: OptionValues<S>;
}

/** A command whose flags are no longer known by name: what the program calls. */
export interface Command {
  readonly summary: string;
  readonly operands: readonly Operand[];
  readonly options: OptionSpecs;
  readonly examples: readonly string[];
  readonly isForOutput?: true;
  run(input: CommandInput<OptionSpecs>, context: Context): Promise<number>;
}

/** Commands below a command: `models list`. */
export interface CommandGroup {
  readonly summary: string;
  readonly commands: Readonly<Record<string, Command>>;
}

/** Checks a command file's shape while it keeps the types of its flags. */
export function defineCommand<const S extends OptionSpecs>(definition: CommandDefinition<S>): Command {
  return {
    ...definition,
    // `readOptions` made the values from these very specs.
    run: (input, context) => definition.run(input as CommandInput<S>, context),
  };
}
