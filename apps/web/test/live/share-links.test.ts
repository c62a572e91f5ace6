import { describe, expect, it } from 'vitest';
import { shareLinks } from '../../src/live/share-links.js';

const SECRET = 'A'.repeat(43);
const OTHERS = ['http://192.168.0.5:8000', 'http://10.0.0.7:8000'];

describe('the links of a share', () => {
  it.each([
    'http://localhost:8000/',
    'http://127.0.0.1:8000/',
    'http://[::1]:8000/',
    'http://kikitori.localhost:8000/',
  ])('name the addresses of the machine where the page is at %s', (page) => {
    expect(shareLinks(page, OTHERS, SECRET)).toEqual({
      room: OTHERS.map((each) => `${each}/captions#k=${SECRET}`),
      overlay: `${page}captions?view=overlay#k=${SECRET}`,
      isHereOnly: false,
    });
  });

  it('name the page’s own address where that is good for others, also below a path', () => {
    const page = 'https://captions.example/kikitori/#key=no';
    const links = shareLinks(page, OTHERS, SECRET);
    expect(links.room).toEqual([`https://captions.example/kikitori/captions#k=${SECRET}`]);
    expect(links.overlay).toBe(`https://captions.example/kikitori/captions?view=overlay#k=${SECRET}`);
    expect(links.isHereOnly).toBe(false);
  });

  it('say that nobody else reaches a server that listens for this computer alone', () => {
    const links = shareLinks('http://localhost:8000/', [], SECRET);
    expect(links).toMatchObject({ room: [`http://localhost:8000/captions#k=${SECRET}`], isHereOnly: true });
  });
});
