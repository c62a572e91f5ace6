import type { ChannelWish } from '@kikitori/audio/channels';
import type { RawFormat } from '@kikitori/audio/file';
import type { HttpError } from '../errors.js';
import type { ModelNames } from '../model-aliases.js';
import type { FileWords } from './hear-file.js';
import type { Recognised } from './recognise.js';
import type { FormFields, UploadForm, UploadFormOptions } from './upload-form.js';

/** What is served. */
export interface Served {
  readonly models: ModelNames;
  /** BCP 47 tags; none: not known. */
  readonly languages: readonly string[];
}

/** What has to be known to hear a file, whoever asks for it. */
export interface FileWishes {
  /** Its words are told as they come. */
  readonly stream: boolean;
  /** What of a file with several channels is heard. */
  readonly channels: ChannelWish;
  /** Of a file without a header; absent: the content says what it is. */
  readonly rawFormat?: RawFormat;
}

/** What was heard, and what people should know about the file, in sentences. */
export interface Transcribed extends Recognised {
  readonly remarks: readonly string[];
  /** How many voices were heard apart: one, or as many as there are channels. */
  readonly lanes: number;
}

/**
 * One request with a file and its answer, in the words of a client's API: the seam behind which everything lies that clients of one
 * kind send and expect, and others do not.
 */
export interface FileExchange {
  /** Finds the file. Once, and at once: what arrives before is lost. Throws `ServerError` `request_refused` for what holds none. */
  read(options: UploadFormOptions): UploadForm;
  /** What the fields ask for; those of the last call count for the answer. Throws `ServerError` `request_refused`. */
  understand(fields: FormFields, served: Served): FileWishes;
  /** From here on words are told as they come. Behind `understand`. */
  begin(): void;
  say(said: FileWords): void;
  /** The rest of the answer, or all of it. Behind `understand`. */
  end(transcribed: Transcribed): void;
  /** Why there is none; whatever came before. */
  fail(error: HttpError): void;
}
