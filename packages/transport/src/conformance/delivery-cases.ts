import type { Connection, Message } from '../connection.js';
import { TRANSPORT_LIMITS } from '../limits.js';
import { type ConformanceCase, codeOf, openReader, readAll, readSome, rejectionOf, turns } from './world.js';

const MAX = TRANSPORT_LIMITS.messageBytesMax;
const CHUNK = 64 * 1024;
// Below what a browser holds unread, where the far end cannot be made to wait.
const BORROWED_SENDS_MAX = 256;

/** What arrives, in which order, and who owns it. */
export const DELIVERY_CASES: readonly ConformanceCase[] = [
  {
    name: 'text sent by either end arrives as the same text',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await near.send('from near: größer, 聞き取り, 🎙');
      await far.send('from far');
      expect(await readSome(far, 1)).toEqual(['from near: größer, 聞き取り, 🎙']);
      expect(await readSome(near, 1)).toEqual(['from far']);
      near.destroy();
    },
  },
  {
    name: 'bytes arrive as a plain Uint8Array with the same content',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
      await near.send(bytes);
      const [message] = await readSome(far, 1);
      expect(message?.constructor === Uint8Array).toBe(true);
      expect(sameBytes(message, bytes)).toBe(true);
      near.destroy();
    },
  },
  {
    name: 'empty messages keep their kind',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await near.send('');
      await near.send(new Uint8Array(0));
      const [text, bytes] = await readSome(far, 2);
      expect(text).toBe('');
      expect(bytes instanceof Uint8Array && bytes.byteLength === 0).toBe(true);
      near.destroy();
    },
  },
  {
    name: 'thousands of sends that nobody awaited keep their order, in both directions',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      const numbers = Array.from({ length: 3000 }, (_, index) => `${index}`);
      const sends = numbers.flatMap((number) => [near.send(number), far.send(number)]);
      const [atFar, atNear] = await Promise.all([
        readSome(far, numbers.length),
        readSome(near, numbers.length),
      ]);
      await Promise.all(sends);
      expect(atFar.join(' ') === numbers.join(' ')).toBe(true);
      expect(atNear.join(' ') === numbers.join(' ')).toBe(true);
      near.destroy();
    },
  },
  {
    name: 'text and bytes in turn keep their order',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      for (let index = 0; index < 50; index += 1) {
        await near.send(index % 2 === 0 ? `${index}` : Uint8Array.of(index));
      }
      const kinds = (await readSome(far, 50)).map((message) => Number(message));
      expect(kinds).toEqual(Array.from({ length: 50 }, (_, index) => index));
      near.destroy();
    },
  },
  {
    name: 'a text of the maximum length arrives',
    run: ({ open }, expect) => deliversWhole(open, 'x'.repeat(MAX), expect),
  },
  {
    name: 'bytes of the maximum length arrive',
    run: ({ open }, expect) => deliversWhole(open, new Uint8Array(MAX).fill(7), expect),
  },
  {
    name: 'a message one byte above the maximum is not sent, and the connection lives on',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      expect(codeOf(await rejectionOf(near.send('x'.repeat(MAX + 1))))).toBe('message_too_big');
      expect(codeOf(await rejectionOf(near.send(new Uint8Array(MAX + 1))))).toBe('message_too_big');
      // Measured in bytes, not in characters: this one is as many characters and two bytes more.
      expect(codeOf(await rejectionOf(near.send(`${'x'.repeat(MAX - 1)}聞`)))).toBe('message_too_big');
      await near.send('still here');
      expect(await readSome(far, 1)).toEqual(['still here']);
      near.destroy();
    },
  },
  {
    name: "a message above the receiver's maximum ends the connection with 1009 and says the limit",
    run: async ({ open }, expect) => {
      const { near, far } = await open({ farMessageBytesMax: 1000 });
      await near.send('x'.repeat(1000));
      await near.send('x'.repeat(1001));
      const [atFar, atNear] = await Promise.all([readAll(far), readAll(near)]);
      expect(atFar.messages).toEqual(['x'.repeat(1000)]);
      expect(codeOf(atFar.error)).toBe('message_too_big');
      expect(atNear.error).toEqual(
        expectedClose('peer_closed', 1009, 'frame exceeds limit of 1000 bytes', atNear.error),
      );
    },
  },
  {
    name: 'bytes may be overwritten once their send has resolved',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        // Without a reader, so that resolved sends still lie in a buffer on this side.
        const sends: Promise<void>[] = [];
        for (let isWaiting = false; !isWaiting && sends.length < BORROWED_SENDS_MAX; ) {
          const bytes = new Uint8Array(CHUNK).fill(1);
          const send = from.send(bytes).then(() => void bytes.fill(2));
          sends.push(send);
          isWaiting = await Promise.race([send.then(() => false), turns(30).then(() => true)]);
        }
        const messages = await readSome(to, sends.length);
        const expected = new Uint8Array(CHUNK).fill(1);
        expect(messages.every((message) => sameBytes(message, expected))).toBe(true);
        await Promise.all(sends);
      }
      near.destroy();
    },
  },
  {
    name: 'bytes belong to the reader: changing one message leaves the next alone',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      void near.send(Uint8Array.of(1, 1));
      await near.send(Uint8Array.of(2, 2));
      const [first, second] = await readSome(far, 2);
      if (first instanceof Uint8Array) new Uint8Array(first.buffer).fill(9);
      expect(sameBytes(second, Uint8Array.of(2, 2))).toBe(true);
      near.destroy();
    },
  },
  {
    name: 'a far end that does not read makes send wait, and gets everything once it reads',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await waitsForReader(near, far, expect);
      near.destroy();
    },
  },
  {
    name: 'a near end that does not read makes the far send wait',
    needs: 'pausesPeer',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await waitsForReader(far, near, expect);
      near.destroy();
    },
  },
  {
    name: 'ten thousand tiny messages and more to a slow reader all arrive',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      // More than any queue, window or stack on the way takes at once.
      const count = 12_000;
      const sending = (async () => {
        for (let index = 0; index < count; index += 1) await near.send('.');
      })();
      await turns(20);
      const messages = await readSome(far, count);
      await sending;
      expect(messages.length).toBe(count);
      near.destroy();
    },
  },
  {
    name: 'a stream of messages has one consumer',
    run: async ({ open }, expect) => {
      const { near } = await open();
      const reader = openReader(near);
      expect(codeOf(await rejectionOf(readAllOf(near)))).toBe('already_read');
      await reader.leave();
    },
  },
];

/** Compares the parts of an error that matter; a failure shows the other error whole. */
export function expectedClose(
  code: string,
  closeCode: number,
  closeReason: string,
  actual: unknown,
): unknown {
  const isSame =
    codeOf(actual) === code &&
    typeof actual === 'object' &&
    actual !== null &&
    'closeCode' in actual &&
    actual.closeCode === closeCode &&
    'closeReason' in actual &&
    actual.closeReason === closeReason;
  return isSame ? actual : { code, closeCode, closeReason };
}

async function deliversWhole(
  open: () => Promise<{ readonly near: Connection; readonly far: Connection }>,
  message: Message,
  expect: (value: unknown) => { toBe(expected: unknown): void },
): Promise<void> {
  const { near, far } = await open();
  const [, [received]] = await Promise.all([near.send(message), readSome(far, 1)]);
  // Not compared by the framework: a difference would print 16 MiB.
  expect(typeof message === 'string' ? received === message : sameBytes(received, message)).toBe(true);
  near.destroy();
}

const STALL_BYTES_MAX = 48 * 1024 * 1024;

async function waitsForReader(
  sender: Connection,
  reader: Connection,
  expect: (value: unknown) => { toBe(expected: unknown): void },
): Promise<void> {
  let sentCount = 0;
  let isStalled = false;
  let last: Promise<void> = Promise.resolve();
  while (!isStalled && sentCount * CHUNK < STALL_BYTES_MAX) {
    last = sender.send(`${sentCount}:`.padEnd(CHUNK, 'x'));
    sentCount += 1;
    // The kernel's own buffers come first. A pause mistaken for a stall makes the case weaker, not wrong.
    isStalled = await Promise.race([last.then(() => false), turns(30).then(() => true)]);
  }
  expect(isStalled).toBe(true);
  const messages = await readSome(reader, sentCount);
  await last;
  const isInOrder = messages.every((message, index) => String(message).startsWith(`${index}:`));
  expect(isInOrder && messages.length === sentCount).toBe(true);
}

async function readAllOf(connection: Connection): Promise<void> {
  for await (const _ of connection.messages) break;
}

function sameBytes(message: Message | undefined, bytes: Uint8Array): boolean {
  if (!(message instanceof Uint8Array) || message.byteLength !== bytes.byteLength) return false;
  // A loop: a function for each of 16 MiB takes many times as long.
  for (let at = 0; at < bytes.length; at += 1) if (message[at] !== bytes[at]) return false;
  return true;
}
