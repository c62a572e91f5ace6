import type { Connection } from '../connection.js';
import { TransportError } from '../errors.js';
import { expectedClose } from './delivery-cases.js';
import {
  type ConformanceCase,
  type ConformancePair,
  codeOf,
  openReader,
  readAll,
  readSome,
  rejectionOf,
  turns,
} from './world.js';

/** How connections open and end, and what is told to whom. */
export const ENDING_CASES: readonly ConformanceCase[] = [
  {
    name: 'close delivers what was sent before it, then the peer ends cleanly',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      const sends = Array.from({ length: 200 }, (_, index) => near.send(`${index}`));
      await near.close();
      await Promise.all(sends);
      const { messages, error } = await readAll(far);
      expect(messages.length).toBe(200);
      expect(error).toBe(undefined);
      expect(await readAll(near)).toEqual({ messages: [], error: undefined });
    },
  },
  {
    name: 'a close by the far end ends the near end cleanly',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await far.send('last words');
      await far.close(1000, 'done');
      expect(await readAll(near)).toEqual({ messages: ['last words'], error: undefined });
      await near.close();
    },
  },
  {
    name: "the near end's close code and reason reach the far end, after the messages",
    needs: 'tellsCloseCode',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await near.send('before');
      await near.close(4001, 'grüße');
      const { messages, error } = await readAll(far);
      expect(messages).toEqual(['before']);
      expect(error).toEqual(expectedClose('peer_closed', 4001, 'grüße', error));
    },
  },
  {
    name: "the far end's close code says whether to try again",
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await far.close(1012, 'restarting');
      const { error } = await readAll(near);
      expect(error).toEqual(expectedClose('peer_closed', 1012, 'restarting', error));
      expect(error instanceof TransportError && error.retryable).toBe(true);
    },
  },
  {
    name: 'a reason too long for a close frame is cut between characters',
    needs: 'tellsCloseCode',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await near.close(4000, '聞'.repeat(100));
      const { error } = await readAll(far);
      expect(error instanceof TransportError && error.closeReason).toBe('聞'.repeat(41));
    },
  },
  {
    name: 'closing twice, from both ends at once, resolves everywhere',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await Promise.all([near.close(), near.close(4002), far.close(), far.close()]);
      await near.close();
      expect((await readAll(near)).error).toBe(undefined);
    },
  },
  {
    name: 'a close code that may not be sent is rejected and nothing closes',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 1000.5, Number.NaN]) {
        expect(codeOf(await rejectionOf(near.close(code)))).toBe('invalid_argument');
      }
      await near.send('open');
      expect(await readSome(far, 1)).toEqual(['open']);
      near.destroy();
    },
  },
  {
    name: 'send after our own close rejects',
    run: async ({ open }, expect) => {
      const { near } = await open();
      const closing = near.close();
      expect(codeOf(await rejectionOf(near.send('late')))).toBe('closed');
      await closing;
      expect(codeOf(await rejectionOf(near.send('later')))).toBe('closed');
    },
  },
  {
    name: "send after the peer's close rejects",
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await far.close(1001);
      await readAll(near);
      expect(codeOf(await rejectionOf(near.send('late')))).toBe('closed');
    },
  },
  {
    name: 'close resolves although nobody reads what the peer keeps sending',
    needs: 'pausesPeer',
    run: async ({ open }) => {
      const { near, far } = await open();
      const { send } = await stall(far);
      await near.close();
      far.destroy();
      await send.catch(() => undefined);
    },
  },
  {
    name: 'destroy ends our reading with its reason and drops what waited',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await far.send('never read');
      await turns(5);
      const reason = new Error('enough');
      near.destroy(reason);
      near.destroy(new Error('second'));
      expect(await readAll(near)).toEqual({ messages: [], error: reason });
      expect(codeOf(await rejectionOf(near.send('late')))).toBe('closed');
      await near.close();
      far.destroy();
    },
  },
  {
    name: 'destroy wakes a reader that waits',
    run: async ({ open }, expect) => {
      const { near } = await open();
      const reading = readAll(near);
      await turns(1);
      near.destroy();
      expect(codeOf((await reading).error)).toBe('destroyed');
    },
  },
  {
    name: 'destroy is a lost connection for the peer',
    needs: 'cutsLine',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      near.destroy();
      expect(codeOf((await readAll(far)).error)).toBe('connection_lost');
    },
  },
  {
    name: 'a peer that vanishes is a lost connection, after what it had sent',
    run: async ({ open }, expect) => {
      const { near, far, vanish } = await open();
      await far.send('last');
      const reader = openReader(near);
      expect(await reader.take(1)).toEqual(['last']);
      vanish();
      const { error } = await reader.rest();
      expect(codeOf(error)).toBe('connection_lost');
      expect(error instanceof TransportError && error.retryable).toBe(true);
      expect(codeOf(await rejectionOf(near.send('late')))).toBe('closed');
    },
  },
  {
    name: 'a send that waits for a slow reader rejects when the peer vanishes',
    run: async ({ open }, expect) => {
      const { near, vanish } = await open();
      const { send } = await stall(near);
      vanish();
      expect((await rejectionOf(send)) instanceof TransportError).toBe(true);
    },
  },
  {
    name: 'leaving the loop early destroys the connection',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      await far.send('one');
      await far.send('two');
      for await (const message of near.messages) {
        expect(message).toBe('one');
        break;
      }
      expect(codeOf(await rejectionOf(near.send('late')))).toBe('closed');
      await readAll(far);
    },
  },
  {
    name: 'an aborted signal stops a send before it begins',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      const reason = new Error('not now');
      expect(await rejectionOf(near.send('unsent', { signal: AbortSignal.abort(reason) }))).toBe(reason);
      await near.send('sent');
      expect(await readSome(far, 1)).toEqual(['sent']);
      near.destroy();
    },
  },
  {
    name: 'aborting a send that waits rejects it with the reason and leaves the connection usable',
    run: async ({ open }, expect) => {
      const { near, far } = await open();
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      const { send } = await stall(near, controller.signal);
      controller.abort(reason);
      expect(await rejectionOf(send)).toBe(reason);
      const reader = openReader(far);
      const marker = near.send('after');
      let message = (await reader.take(1))[0];
      while (message !== undefined && message !== 'after') message = (await reader.take(1))[0];
      expect(message).toBe('after');
      await marker;
      near.destroy();
    },
  },
  {
    name: 'an aborted signal stops a connect before it begins',
    run: async ({ connect }, expect) => {
      const reason = new Error('not now');
      expect(await rejectionOf(connect('silence', AbortSignal.abort(reason)))).toBe(reason);
    },
  },
  {
    name: 'aborting a connect to somebody who never answers rejects with the reason',
    run: async ({ connect }, expect) => {
      const controller = new AbortController();
      const reason = new Error('too long');
      const connecting = rejectionOf(connect('silence', controller.signal));
      await turns(10);
      controller.abort(reason);
      expect(await connecting).toBe(reason);
    },
  },
  {
    name: 'a refused handshake rejects',
    run: async ({ connect }, expect) => {
      const error = await rejectionOf(connect('refuse'));
      expect(error instanceof TransportError && ['refused', 'connect_failed'].includes(error.code)).toBe(
        true,
      );
    },
  },
  {
    name: 'a refused handshake tells its HTTP status',
    needs: 'tellsRefusal',
    run: async ({ connect }, expect) => {
      const error = await rejectionOf(connect('refuse'));
      expect(codeOf(error)).toBe('refused');
      expect(error instanceof TransportError && error.httpStatus).toBe(503);
      expect(error instanceof TransportError && error.retryable).toBe(true);
    },
  },
  {
    name: 'every connection has an id of its own',
    run: async ({ open }, expect) => {
      const pairs = [await open(), await open()];
      const ids = pairs.flatMap(({ near, far }: ConformancePair) => [near.id, far.id]);
      expect(new Set(ids).size).toBe(4);
      for (const { near } of pairs) near.destroy();
    },
  },
];

/** A send that does not settle; in an object, or awaiting it would await the send. */
interface Stalled {
  readonly send: Promise<void>;
}

/** Sends until a send waits for the peer's reader. */
async function stall(sender: Connection, signal?: AbortSignal): Promise<Stalled> {
  const options = signal === undefined ? {} : { signal };
  for (let count = 0; count < 1000; count += 1) {
    const send = sender.send('x'.repeat(64 * 1024), options);
    const isWaiting = await Promise.race([send.then(() => false), turns(30).then(() => true)]);
    if (isWaiting) return { send };
  }
  throw new Error('The peer reads although nobody asked it to.');
}
