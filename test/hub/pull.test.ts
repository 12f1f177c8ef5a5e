import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pull } from '../../src/hub/pull.ts';
import { sha256Of } from './fake-hub.ts';
import { config, empty, PullBench, weights } from './pull-bench.ts';

let bench: PullBench;

beforeEach(async () => {
  bench = await PullBench.start();
});

afterEach(() => bench[Symbol.asyncDispose]());

describe('a hub without faults', () => {
  test('files land in the cache that Hugging Face programs share, and are not fetched twice', async () => {
    const [pulled] = await bench.pull();

    for (const file of [weights, config, empty]) expect(bench.read(file)).toEqual(file.bytes);
    expect(pulled).toMatchObject({ repository: 'owner/model', commit: bench.hub.commit });
    expect(bench.blobs()).toContain(sha256Of(weights.bytes));
    expect(bench.blobs()).toHaveLength(3);
    const sent = bench.hub.sentBytes;
    await bench.pull();
    expect(bench.hub.sentBytes).toBe(sent);
    expect(bench.eventsOf('file').slice(3)).toMatchObject([
      { wasCached: true },
      { wasCached: true },
      { wasCached: true },
    ]);
  });

  test('the plan comes first and names sizes and free space', async () => {
    await bench.pull();

    const totalBytes = weights.bytes.length + config.bytes.length;
    expect(bench.events[0]).toMatchObject({
      type: 'plan',
      numFiles: 3,
      totalBytes,
      cacheFolder: bench.cacheFolder,
    });
    expect(bench.events[0]).toMatchObject({
      missingBytes: totalBytes,
      freeBytes: expect.any(Number),
    });
  });

  test('one file or one folder may be asked for', async () => {
    await bench.pull({}, 'owner/model/vae');
    expect(bench.eventsOf('file')).toMatchObject([{ file: config.path }]);
    await expect(bench.pull({}, 'owner/model/nothing.bin')).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
    });
  });

  test('the token stays on the origin of the hub', async () => {
    await bench.pull({ token: 'hf_secret' });

    expect(bench.hub.served.filter((request) => !request.isStorage)).not.toEqual([]);
    for (const { isStorage, authorization } of bench.hub.served) {
      expect(authorization).toBe(isStorage ? undefined : 'Bearer hf_secret');
    }
  });

  test('offline, nothing is asked: what is there is used, what is not is named', async () => {
    await bench.pull();
    const { numConnections } = bench.hub;
    expect(await bench.pull({ offline: true })).toMatchObject([{ commit: bench.hub.commit }]);
    await expect(bench.pull({ offline: true }, 'owner/other')).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('owner/other'),
    });
    expect(bench.hub.numConnections).toBe(numConnections);
  });

  test('an unknown repository is told', async () => {
    await expect(bench.pull({}, 'owner/missing')).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('404'),
    });
  });

  test.each([0, 33, 1.5])('%s connections are refused', async (connections) => {
    await expect(bench.pull({ connections })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('the plain form has sizes of its own', async () => {
    await pull('owner/model', { endpoint: bench.hub.endpoint, cacheFolder: bench.cacheFolder });
    expect(bench.read(weights)).toEqual(weights.bytes);
  });
});
