/**
 * Golden vectors. What `client-*` takes, and the code with which it refuses, is what Python's json and pydantic 2.13 say
 * with classes of the same names and fields as vLLM's; the sentences are ours.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  encodeClientEvent,
  encodeServerEvent,
  modelNotFound,
  parseClientEvent,
  parseServerEvent,
} from '../src/index.js';

interface Vector {
  readonly name: string;
  readonly text?: string;
  /** For texts too long to write down: `repeat` times `times`. */
  readonly repeat?: string;
  readonly times?: number;
  readonly event?: unknown;
  readonly code?: string;
  readonly error?: string;
}

function files(kind: 'accept' | 'reject'): [string, Vector[]][] {
  const folder = join(import.meta.dirname, 'vectors', kind);
  return readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8'))]);
}

function textOf({ text, repeat = '', times = 0 }: Vector): string {
  return text ?? repeat.repeat(times);
}

describe.each(files('accept'))('accept/%s', (file, vectors) => {
  const parse = file.startsWith('client') ? parseClientEvent : parseServerEvent;

  it.each(vectors)('$name', (vector) => {
    expect(parse(textOf(vector))).toStrictEqual(vector.event);
  });
});

describe.each(files('reject'))('reject/%s', (file, vectors) => {
  const parse = file.startsWith('client') ? parseClientEvent : parseServerEvent;

  it.each(vectors)('$name', (vector) => {
    const event = parse(textOf(vector));
    expect(event.type === 'invalid' ? event.error.toEvent() : event).toStrictEqual({
      type: 'error',
      error: vector.error,
      code: vector.code,
    });
  });
});

it('every server event is encoded byte for byte as the vector has it', () => {
  const vectors = files('accept').find(([file]) => file === 'server.json')?.[1] ?? [];
  expect(vectors.length).toBeGreaterThan(10);
  for (const vector of vectors) {
    const event = parseServerEvent(textOf(vector));
    if (event.type === 'invalid' || event.type === 'unknown') throw new Error(vector.name);
    expect(encodeServerEvent(event)).toBe(vector.text);
  }
});

it('every client event survives encoding and parsing', () => {
  for (const [file, vectors] of files('accept')) {
    if (!file.startsWith('client')) continue;
    for (const vector of vectors) {
      const event = parseClientEvent(textOf(vector));
      if (event.type === 'invalid') throw new Error(vector.name);
      expect(parseClientEvent(encodeClientEvent(event))).toStrictEqual(event);
    }
  }
});

it('a model that is not served is named', () => {
  expect(modelNotFound('nonexistent-model').toEvent()).toStrictEqual({
    type: 'error',
    error: 'The model `nonexistent-model` does not exist.',
    code: 'model_not_found',
  });
});
