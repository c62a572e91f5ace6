import type { ServerResponse } from 'node:http';
import { sendJson } from './answers.js';

/** Why no session can be taken. */
export interface Missing {
  /** `model`: it is still loading; `upstream`: the model server is away; `engine`: it is closed; `draining`; `busy`. */
  readonly code: 'model' | 'upstream' | 'engine' | 'draining' | 'busy';
  /** A sentence for people. */
  readonly message: string;
}

/** Answers `GET /ready`: 200 while sessions can be taken, else 503 with what is missing. */
export function sendReadiness(
  response: ServerResponse,
  missing: Missing | undefined,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = missing === undefined ? { ready: true } : { ready: false, missing };
  sendJson(response, missing === undefined ? 200 : 503, body, { 'cache-control': 'no-store', ...headers });
}
