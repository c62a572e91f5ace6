/** What a server answers to a client that offered a credential: browsers fail where none of the offered is chosen. */
export const REALTIME_PROTOCOL = 'realtime';

/** What stands before a credential among the offered: OpenAI's name for it, as browsers cannot send `Authorization`. */
export const CREDENTIAL_PROTOCOL_PREFIX = 'openai-insecure-api-key.';
