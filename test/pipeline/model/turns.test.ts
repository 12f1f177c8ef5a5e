import { expect, test } from 'vitest';
import { Turns } from '../../../src/pipeline/model/turns.ts';

test('jobs run one at a time in the order in which they came', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const job = async (name: string): Promise<void> => {
    const end = await turns.wait();
    log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} ends`);
    end();
  };
  await Promise.all(['a', 'b', 'c'].map(job));
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('a job that is aborted leaves the queue at once and lets nobody pass', async () => {
  const turns = new Turns();
  const abort = new AbortController();
  const end = await turns.wait();
  const second = turns.wait(abort.signal);
  let hasThird = false;
  const third = turns.wait().then((endThird) => {
    hasThird = true;
    endThird();
  });
  abort.abort('why');
  await expect(second).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'why' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasThird).toBe(false);
  end();
  await third;
  expect(hasThird).toBe(true);
  await expect(turns.wait(abort.signal)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});
