/**
 * The pieces of the Llama tokenizer. A module of its own, imported where an engine begins and nowhere else: the tokenizer unpacks
 * itself for a tenth of a second, and neither the threads nor the commands that only look for a model need it.
 */
import llamaTokenizer from 'llama-tokenizer-js';
import type { Pieces } from './token-text.js';

/** The table that the published English models share. */
export function llamaPieces(): Pieces {
  return llamaTokenizer.vocabById;
}
