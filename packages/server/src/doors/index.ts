export { formatKey, parseKeyFile } from './key-file.js';
export { createKey, digestOf, type KnownKey } from './keys.js';
