import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../src/pipeline/progress/event-queue.ts';

async function drain(queue: EventQueue<number>): Promise<number[]> {
  const values: number[] = [];
  for await (const value of queue) values.push(value);
  return values;
}

describe('EventQueue', () => {
  it('gives every value in order, early and late ones, then ends', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    const all = drain(queue);
    await Promise.resolve();
    queue.push(2);
    queue.push(3);
    queue.close();
    queue.push(4);
    expect(await all).toEqual([1, 2, 3]);
  });

  it('throws the failure after the values before it', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    queue.close({ reason: new Error('broken') });
    const iterator = queue[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await expect(iterator.next()).rejects.toThrow('broken');
  });
});
