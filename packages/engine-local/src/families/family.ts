import type { DecodeRequest, DecodeResult, Vocabulary } from '@kikitori/engine';
import type { DoubtRule } from '@kikitori/engine/recognition';

/** Files of a model by what they are in it; absolute paths, or paths in a repository. */
export type ModelFiles = Readonly<Record<string, string>>;

/** What a family's models need at least to be told what they say, and to begin. */
export interface Needs {
  /** Live speakers that one core carries with a lag of at most 2 s. */
  readonly streamsPerCore: number;
  /** Of one decoding thread: its copy of the model, and what a decode of 15 s takes. */
  readonly threadBytes: number;
}

/** What is particular to one model of a family, by its name in the catalogue. */
export interface ModelTraits {
  readonly needs: Needs;
  /** When an utterance does not sound like what it hears; absent: nobody has measured it, so never. */
  readonly doubt?: DoubtRule;
}

/** A model in memory. One request at a time. */
export interface LoadedModel {
  decode(request: DecodeRequest): Promise<DecodeResult>;
  /** Gives its memory back. */
  dispose(): Promise<void>;
}

/**
 * A family of models: which files make one, what its tokens mean, and how it hears a window of audio. One folder each,
 * and one line in `index.ts`; downloading, checking, threads and streams are the same for all.
 */
export interface ModelFamily {
  /** As manifests and the catalogue name it. */
  readonly name: string;
  /** As people do. */
  readonly label: string;
  /** Files that each of its models has; those that some lack. */
  readonly roles: { readonly needed: readonly string[]; readonly optional: readonly string[] };
  /** What `find` looks for, for an error's sentence. */
  readonly looksFor: string;
  /** Its files among the paths of a folder or a repository (`/` between folders); undefined: it is none of this family. */
  find(paths: ReadonlySet<string>): ModelFiles | undefined;
  /** What the tokens of that model mean. Throws where its files say nothing that can be read. */
  vocabulary(files: ModelFiles): Promise<Vocabulary>;
  /** Of a model of that name, or of any other. */
  traits(name: string): ModelTraits;
  /** Loads it on this thread; throws what the runtime throws when the files are damaged or of another kind. */
  load(files: ModelFiles): Promise<LoadedModel>;
}
