import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { BoundedQueue, type BoundedQueueOptions } from '../src/bounded-queue.js';

function queueOf(options: Partial<BoundedQueueOptions> = {}): BoundedQueue<number> {
  return new BoundedQueue<number>({
    highWaterBytes: 100,
    highWaterCount: 10,
    maxBytes: 200,
    maxCount: 20,
    ...options,
  });
}

describe('the bounded queue', () => {
  it('takes items up to its bytes, one of which may reach beyond, and then refuses', () => {
    const queue = queueOf();
    expect(queue.offer(1, 199)).toBe(true);
    expect(queue.offer(2, 1000)).toBe(true);
    expect(queue.offer(3, 0)).toBe(false);
    expect(queue).toMatchObject({ bytes: 1199, count: 2 });
  });

  it('takes items up to its count, n - 1, n and n + 1', () => {
    const queue = queueOf();
    for (let index = 0; index < 20; index += 1) expect(queue.offer(index, 0)).toBe(true);
    expect(queue.offer(20, 0)).toBe(false);
  });

  it('tells from its mark on to wait, and at half of it to go on, once', async () => {
    const onRoom = vi.fn();
    const queue = queueOf({ onRoom });
    for (let index = 0; index < 9; index += 1) queue.offer(index, 0);
    expect(queue.isAboveMark).toBe(false);
    queue.offer(9, 0);
    expect(queue.isAboveMark).toBe(true);
    const room = queue.room();
    const iterator = queue[Symbol.asyncIterator]();
    for (let index = 0; index < 4; index += 1) await iterator.next();
    expect(onRoom).not.toHaveBeenCalled();
    await iterator.next();
    expect(onRoom).toHaveBeenCalledTimes(1);
    await room;
    for (let index = 0; index < 5; index += 1) await iterator.next();
    expect(onRoom).toHaveBeenCalledTimes(1);
  });

  it('lets who waits for room go when it ends, and when a signal fires', async () => {
    for (const end of [
      (queue: BoundedQueue<number>) => queue.end(),
      (queue: BoundedQueue<number>) => queue.fail(new Error('x')),
      (queue: BoundedQueue<number>) => queue.destroy(new Error('x')),
    ]) {
      const queue = queueOf();
      queue.offer(1, 150);
      const room = queue.room();
      end(queue);
      await room;
    }
    const queue = queueOf();
    queue.offer(1, 150);
    const reason = new Error('bored');
    await expect(queue.room({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('gives what it holds, then the end or the error, then nothing more', async () => {
    const ended = queueOf();
    ended.offer(1, 1);
    ended.end();
    expect(ended.offer(2, 1)).toBe(false);
    const reader = ended[Symbol.asyncIterator]();
    expect(await reader.next()).toEqual({ done: false, value: 1 });
    expect(await reader.next()).toEqual({ done: true, value: undefined });

    const failed = queueOf();
    failed.offer(1, 1);
    failed.fail(new Error('first'));
    failed.fail(new Error('second'));
    const other = failed[Symbol.asyncIterator]();
    expect((await other.next()).value).toBe(1);
    await expect(other.next()).rejects.toThrow('first');
    expect((await other.next()).done).toBe(true);
  });

  it('drops what it holds when destroyed, also after its end', async () => {
    const queue = queueOf();
    queue.offer(1, 1);
    queue.end();
    queue.destroy(new Error('cut'));
    await expect(queue[Symbol.asyncIterator]().next()).rejects.toThrow('cut');
    const empty = queueOf();
    empty.end();
    empty.destroy(new Error('cut'));
    expect((await empty[Symbol.asyncIterator]().next()).done).toBe(true);
  });

  it('tells when its consumer leaves before the end, and not after it', async () => {
    const onAbandoned = vi.fn();
    const left = queueOf({ onAbandoned });
    left.offer(1, 1);
    for await (const _ of left) break;
    expect(onAbandoned).toHaveBeenCalledTimes(1);
    expect(left.offer(2, 1)).toBe(false);
    const read = queueOf({ onAbandoned });
    read.end();
    for await (const _ of read);
    await read[Symbol.asyncIterator].call(queueOf()).return?.();
    expect(onAbandoned).toHaveBeenCalledTimes(1);
  });

  it('wakes a reader that waits when its consumer leaves', async () => {
    const queue = queueOf();
    const iterator = queue[Symbol.asyncIterator]();
    const reading = iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({ code: 'already_read' });
    await iterator.return?.();
    expect((await reading).done).toBe(true);
  });

  it('behaves as a list does, whatever the order of offers and reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat({ max: 50 }), fc.constant('read' as const))),
        async (steps) => {
          const queue = queueOf({ maxCount: 100_000, maxBytes: 100_000 });
          const iterator = queue[Symbol.asyncIterator]();
          const model: number[] = [];
          let number = 0;
          for (const step of steps) {
            if (step === 'read') {
              if (model.length > 0) expect((await iterator.next()).value).toBe(model.shift());
            } else {
              for (let index = 0; index < step; index += 1) {
                queue.offer(number, 1);
                model.push(number);
                number += 1;
              }
            }
            expect(queue).toMatchObject({ count: model.length, bytes: model.length });
          }
        },
      ),
    );
  });

  it('gives the memory of a long backlog back while it is read', async () => {
    const queue = queueOf({ maxCount: 1_000_000, maxBytes: 1_000_000 });
    for (let index = 0; index < 10_000; index += 1) queue.offer(index, 1);
    const iterator = queue[Symbol.asyncIterator]();
    for (let index = 0; index < 10_000; index += 1) expect((await iterator.next()).value).toBe(index);
    expect(queue).toMatchObject({ count: 0, bytes: 0, isAboveMark: false });
  });
});
