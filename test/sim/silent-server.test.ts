import { describe } from 'vitest';
import { registerCases } from './cases.js';

describe('whatever breaks between the microphone and a server that tells no positions', () => {
  registerCases('silent', { handoversMin: 50, manyEventsMs: 240_000 });
});
