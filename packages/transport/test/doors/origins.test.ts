import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { judgeOrigin, originPolicy } from '../../src/doors/origins.js';

const allowedOrigins = ['https://App.example.com'];
const open = originPolicy({ allowedOrigins, isLoopback: true, isGuarded: false });
const guarded = originPolicy({ allowedOrigins, isLoopback: true, isGuarded: true });
const remote = originPolicy({ allowedOrigins, isLoopback: false, isGuarded: true });
/** Everybody in the network may enter: no key, no loopback. */
const insecure = originPolicy({ allowedOrigins, isLoopback: false, isGuarded: false });

describe('pages and programs', () => {
  it.each([
    // Programs.
    [undefined, 'localhost:8000', open, 'ok'],
    [undefined, undefined, open, 'ok'],
    // The page of this server, under any name of this machine.
    ['http://localhost:8000', 'localhost:8000', open, 'ok'],
    ['http://127.0.0.1:8000', '127.0.0.1:8000', open, 'ok'],
    ['http://[::1]:8000', '[::1]:8000', open, 'ok'],
    // Another page of this machine: somebody develops one.
    ['http://localhost:5173', 'localhost:8000', open, 'ok'],
    ['http://localhost:5173', 'stt.example.com', remote, 'foreign_origin'],
    // Allowed by name.
    ['https://app.example.com', 'localhost:8000', open, 'ok'],
    ['https://app.example.com', 'stt.example.com', remote, 'ok'],
    // Behind a proxy that ends TLS.
    ['https://stt.example.com', 'stt.example.com', remote, 'ok'],
    // One host, spelled in several ways.
    ['https://stt.example.com', 'stt.example.com:443', remote, 'ok'],
    ['http://stt.example.com', 'stt.example.com:80', remote, 'ok'],
    ['https://stt.example.com:443', 'STT.Example.com', remote, 'ok'],
    ['https://stt.example.com', 'stt.example.com.', remote, 'ok'],
    ['https://stt.example.com.', 'stt.example.com:443', remote, 'ok'],
    ['https://stt.example.com:8443', 'stt.example.com.:8443', remote, 'ok'],
    ['https://stt.example.com:8443', 'stt.example.com:443', remote, 'foreign_origin'],
    ['https://stt.example.com', 'stt.example.com:444', remote, 'foreign_origin'],
    ['https://xstt.example.com', 'stt.example.com:443', remote, 'foreign_origin'],
    ['http://[2001:db8::1]', '[2001:db8::1]:80', remote, 'ok'],
    // An app may call its host as it likes.
    ['app://stt.example.com', 'stt.example.com', remote, 'foreign_origin'],
    // Somebody else's.
    ['https://evil.example', 'localhost:8000', open, 'foreign_origin'],
    ['https://evil.example', 'localhost:8000', guarded, 'foreign_origin'],
    ['http://app.example.com', 'localhost:8000', guarded, 'foreign_origin'],
    ['https://app.example.com.evil.example', 'localhost:8000', guarded, 'foreign_origin'],
    ['null', 'localhost:8000', open, 'foreign_origin'],
    ['', 'localhost:8000', open, 'foreign_origin'],
    // A name that was led here (DNS rebinding): of the same origin, but not ours.
    ['http://evil.example:8000', 'evil.example:8000', open, 'foreign_host'],
    [undefined, 'evil.example:8000', open, 'foreign_host'],
    [undefined, 'not a host', open, 'foreign_host'],
    [undefined, 'app.example.com', open, 'ok'],
    // With a key it helps them nothing.
    [undefined, 'stt.example.com', guarded, 'ok'],
    // Without one in a network: by address, or by a name that nobody can have on the internet.
    ['http://192.168.1.5:8000', '192.168.1.5:8000', insecure, 'ok'],
    ['http://[fd00::5]:8000', '[fd00::5]:8000', insecure, 'ok'],
    ['http://desk:8000', 'desk:8000', insecure, 'ok'],
    ['http://Desk.LOCAL:8000', 'desk.local:8000', insecure, 'ok'],
    [undefined, 'stt.internal', insecure, 'ok'],
    [undefined, 'localhost:8000', insecure, 'ok'],
    [undefined, hostname(), insecure, 'ok'],
    [undefined, 'app.example.com', insecure, 'ok'],
    ['https://evil.example', '192.168.1.5:8000', insecure, 'foreign_origin'],
    ['http://evil.example:8000', 'evil.example:8000', insecure, 'foreign_host'],
    ['http://evil.example.:8000', 'evil.example.:8000', insecure, 'foreign_host'],
    ['http://notlocal.example', 'notlocal.example', insecure, 'foreign_host'],
    ['http://192.168.1.5.nip.example', '192.168.1.5.nip.example', insecure, 'foreign_host'],
    // A page of the server's own machine is foreign to a server for others.
    ['http://localhost:5173', '192.168.1.5:8000', insecure, 'foreign_origin'],
  ] as const)('origin %j to host %j', (origin, host, policy, verdict) => {
    expect(judgeOrigin({ origin, host }, policy)).toBe(verdict);
  });
});
