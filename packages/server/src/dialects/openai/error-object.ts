/** What OpenAI's clients read of an error: an object, also where only a sentence is to be told. */
export interface ErrorObject {
  readonly type: 'invalid_request_error' | 'server_error';
  readonly code: string | null;
  readonly message: string;
  readonly param: string | null;
}

/** `type` says whose fault it is. */
export function errorObject(
  message: string,
  code: string | null,
  { type = 'invalid_request_error', param = null }: Partial<ErrorObject> = {},
): ErrorObject {
  return { type, code, message, param };
}
