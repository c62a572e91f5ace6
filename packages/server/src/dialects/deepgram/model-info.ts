/** There is one, and clients want something that looks like its id. */
export const MODEL_UUID = '00000000-0000-0000-0000-000000000000';

/** What a client is told of the model that answered: it goes by the name that was asked for. */
export function modelInfo(name: string): {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
} {
  return { name, version: '1', arch: 'kikitori' };
}
