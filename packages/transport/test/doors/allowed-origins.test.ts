import { describe, expect, it } from 'vitest';
import { AllowedOrigins } from '../../src/doors/allowed-origins.js';

describe('an origin that is allowed', () => {
  it.each([
    ['https://a.example:8443', 'https://a.example:8443'],
    ['HTTP://B.example/', 'http://b.example'],
    ['https://c.example:443', 'https://c.example'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    // Extensions, notes, and pages that are wrapped as apps.
    [
      'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb',
      'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb',
    ],
    [
      'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
      'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    ],
    ['app://obsidian.md', 'app://obsidian.md'],
    ['App://Obsidian.md', 'app://obsidian.md'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['ionic://localhost', 'ionic://localhost'],
    ['tauri://localhost', 'tauri://localhost'],
    ['http://tauri.localhost', 'http://tauri.localhost'],
    // Families.
    ['chrome-extension://*', 'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb'],
    ['https://*.example.com', 'https://a.example.com'],
    ['https://*.Example.com', 'https://a.b.EXAMPLE.com'],
    ['https://*.example.com:8443', 'https://a.example.com:8443'],
    ['https://*.example.com:443', 'https://a.example.com'],
    ['http://*.localhost', 'http://tauri.localhost'],
    ['http://*.localhost:3000', 'http://app.localhost:3000'],
  ])('%s lets in %s', (allowed, origin) => {
    expect(new AllowedOrigins(['https://other.example', allowed]).has(origin)).toBe(true);
  });

  it.each([
    ['https://a.example', 'http://a.example'],
    ['https://a.example', 'https://a.example:8443'],
    ['https://a.example', 'https://a.example.evil.example'],
    ['https://a.example', 'https://a.example/page'],
    ['https://a.example', 'null'],
    ['https://a.example', ''],
    ['https://*.example.com', 'https://example.com'],
    ['https://*.example.com', 'https://evil-example.com'],
    ['https://*.example.com', 'https://a.example.com.evil.example'],
    ['https://*.example.com', 'http://a.example.com'],
    ['https://*.example.com', 'https://a.example.com:8443'],
    ['https://*.example.com', 'https://.example.com'],
    ['https://*.example.com', 'app://a.example.com'],
    ['app://obsidian.md', 'https://obsidian.md'],
    ['app://obsidian.md', 'app://obsidian.md.evil.example'],
    ['app://obsidian.md', 'app://obsidian.md://evil.example'],
    ['chrome-extension://*', 'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc'],
    ['chrome-extension://*', 'https://evil.example'],
  ])('%s does not let in %s', (allowed, origin) => {
    expect(new AllowedOrigins([allowed]).has(origin)).toBe(false);
  });

  it('makes the name of a site known, not that of an app', () => {
    const allowed = new AllowedOrigins(['https://a.example', 'https://*.example.com', 'app://obsidian.md']);
    expect(['a.example', 'b.example.com'].every((host) => allowed.hasHost(host))).toBe(true);
    expect(['example.com', 'obsidian.md', ''].some((host) => allowed.hasHost(host))).toBe(false);
  });

  it.each([
    ['example.com', /scheme and a host/],
    ['https://a.example/page', /scheme and a host/],
    ['https://a.example?x', /scheme and a host/],
    ['https://me@a.example', /scheme and a host/],
    ['ws://a.example', /scheme and a host/],
    ['', /scheme and a host/],
    ['*', /name those that you mean/],
    ['*.example.com', /name those that you mean/],
    ['https://*', /name those that you mean/],
    ['https://*.com', /name those that you mean/],
    ['https://*.*.com', /name those that you mean/],
    ['https://a.*.com', /name those that you mean/],
    ['https://*example.com', /name those that you mean/],
    ['app://*.md', /name those that you mean/],
    ['file:///page.html', /serve them/],
    ['null', /serve them/],
  ])('is none where it says %j, and a sentence says what to write', (wrong, sentence) => {
    expect(() => new AllowedOrigins([wrong])).toThrow(sentence);
  });
});
