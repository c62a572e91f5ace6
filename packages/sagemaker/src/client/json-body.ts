import { isRecord, parseJson } from '@kikitori/core';

/** The one decoder of JSON that came from the service: only its errors are JSON, and they are small. */
export interface ServiceWords {
  /** The name of the error's shape, without namespace. */
  readonly name: string | undefined;
  readonly text: string | undefined;
  readonly errorCode: string | undefined;
  readonly originalStatus: number | undefined;
}

/** Reads what an error's body says; what is not there, or is not JSON, stays undefined. */
export function readServiceWords(body: string): ServiceWords {
  const members = readMembers(body);
  const text = (name: string): string | undefined => {
    const value = members.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const status = members.get('originalstatuscode');
  const type = text('__type');
  return {
    name: type === undefined ? undefined : shapeName(type),
    text: text('message'),
    errorCode: text('errorcode'),
    originalStatus: typeof status === 'number' && Number.isInteger(status) ? status : undefined,
  };
}

/** `com.amazonaws.x#Name:http://…` is `Name`. */
export function shapeName(type: string): string {
  return /^(?:[^#]*#)?([^:]*)/.exec(type)?.[1] ?? '';
}

/** AWS spells `Message` in the shapes of this service and `message` in those of all services. */
function readMembers(body: string): ReadonlyMap<string, unknown> {
  const parsed = parseJson(body);
  return new Map(
    Object.entries(isRecord(parsed) ? parsed : {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
