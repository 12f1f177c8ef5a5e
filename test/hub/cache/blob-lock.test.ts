import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockBlob } from '../../../src/hub/cache/blob-lock.ts';
import { noise } from '../fake-hub.ts';
import { SlowHub } from '../slow-hub.ts';

const never = new AbortController().signal;
let name: string;

beforeEach(() => {
  name = `blob-${Math.random()}`;
});

afterEach(() => vi.restoreAllMocks());

test('one holder at a time; the next gets the lock when it is given back', async () => {
  const onWait = vi.fn();
  const first = await lockBlob(name, onWait, never);
  expect(onWait).not.toHaveBeenCalled();
  const second = lockBlob(name, onWait, never);
  const other = await lockBlob(`${name}-other`, onWait, never);
  await expect.poll(() => onWait.mock.calls.length).toBe(1);
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

test('waiting can be aborted', async () => {
  await using _first = await lockBlob(name, () => {}, never);
  const abort = new AbortController();
  const waiting = lockBlob(name, () => abort.abort(), abort.signal);
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

test('of two processes one fetches, the other waits, and both succeed', async () => {
  const large = { path: 'large.bin', bytes: noise(3 * SlowHub.partBytes), isLfs: true };
  await using slow = await SlowHub.start(large);
  slow.isHeld = true;
  const pulls = [slow.pull(), slow.pull()];
  await expect
    .poll(() => pulls.map((pull) => pull.output()), { timeout: 30_000 })
    .toContain('wait\n');
  slow.isHeld = false;
  const ends = await Promise.all(pulls.map(({ ended }) => ended));

  expect(ends).toMatchObject([{ code: 0 }, { code: 0 }]);
  expect(ends.map(({ output }) => output).toSorted()).toEqual(['done\n', 'wait\ndone\n']);
  expect(slow.drippedBytes).toBe(large.bytes.length);
}, 60_000);
