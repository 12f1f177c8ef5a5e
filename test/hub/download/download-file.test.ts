import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Fault, noise, sha256Of } from '../fake-hub.ts';
import { PART, PullBench, weights } from '../pull-bench.ts';
import { SlowHub } from '../slow-hub.ts';

const SIZE = weights.bytes.length;
let bench: PullBench;

beforeEach(async () => {
  bench = await PullBench.start();
});

afterEach(() => bench[Symbol.asyncDispose]());

/** A fault of the large file alone. */
function onWeights(fault: Fault): void {
  bench.hub.fault = (request, response) =>
    request.path === weights.path ? fault(request, response) : undefined;
}

/** `Content-Range` of the rest of the part that starts or goes on there. */
function rangeFrom(start: number): { readonly end: number; readonly header: string } {
  const end = Math.min(SIZE, (Math.floor(start / PART) + 1) * PART);
  return { end, header: `bytes ${start}-${end - 1}/${SIZE}` };
}

/** Pulls without faults; only what comes after the first parts may be fetched. */
async function finish(numParts: number): Promise<void> {
  const before = bench.hub.sentBytes;
  bench.hub.fault = () => undefined;
  await bench.pull();
  expect(bench.read(weights)).toEqual(weights.bytes);
  const served = bench.hub.served.filter(({ path: name }) => name !== weights.path);
  const others = served.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(bench.hub.sentBytes - before).toBeLessThanOrEqual(SIZE - numParts * PART + others);
}

describe('answers that are mended', () => {
  test('a body that ends early goes on where it ended', async () => {
    onWeights(({ start, count }, response) => {
      if (count % 2 === 1) return undefined;
      const headers = { etag: '"v1"', 'content-range': rangeFrom(start).header };
      response.writeHead(206, headers);
      response.write(weights.bytes.subarray(start, start + 1000), () => response.destroy());
      return 'handled';
    });
    await bench.pull();
    expect(bench.read(weights)).toEqual(weights.bytes);
  });

  test('a server without ranges sends the whole file', async () => {
    onWeights((_, response) => {
      response.writeHead(200, { 'content-length': SIZE }).end(weights.bytes);
      return 'handled';
    });
    await bench.pull();
    expect(bench.read(weights)).toEqual(weights.bytes);
  });

  test.each([
    ['another entity tag', 206, 'v2'],
    ['status 416', 416, 'v1'],
  ])('%s in the middle starts the file again', async (_, status, etag) => {
    let isChanged = false;
    onWeights(({ start }, response) => {
      if (start < 5 * PART || isChanged) return undefined;
      isChanged = true;
      bench.hub.etag = etag;
      const { end, header } = rangeFrom(start);
      response.writeHead(status, { etag: `"${etag}"`, 'content-range': header });
      response.end(weights.bytes.subarray(start, end));
      return 'handled';
    });
    await bench.pull();
    expect(isChanged).toBe(true);
    expect(bench.read(weights)).toEqual(weights.bytes);
  });

  test('a flipped byte is seen, the bytes set aside, and the file fetched once more', async () => {
    let isFlipped = false;
    onWeights(({ start }, response) => {
      if (start !== 3 * PART || isFlipped) return undefined;
      isFlipped = true;
      const body = Buffer.from(weights.bytes.subarray(start, start + PART));
      body[17]! ^= 1;
      response.writeHead(206, { etag: '"v1"', 'content-range': rangeFrom(start).header }).end(body);
      return 'handled';
    });
    await bench.pull();
    expect(bench.read(weights)).toEqual(weights.bytes);
    expect(bench.blobs()).toContain(`${sha256Of(weights.bytes)}.corrupt`);
  });
});

describe('answers that are refused', () => {
  test('a wrong digest is an error that names both, and no file appears', async () => {
    bench.hub.listedDigest = '0'.repeat(64);
    await expect(bench.pull()).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringMatching(/expected 0{64}, got [0-9a-f]{64}/),
    });
    expect(() => bench.read(weights)).toThrow();
  });

  test.each([
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', {}],
    ['a web page', '<!doctype html><form>log in</form>', { 'content-type': 'text/html' }],
  ])('%s in place of the weights is named', async (name, body, headers) => {
    onWeights((_, response) => {
      response.writeHead(200, { 'content-length': body.length, ...headers }).end(body);
      return 'handled';
    });
    await expect(bench.pull()).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining(name),
    });
  });
});

describe('what has arrived is kept', () => {
  test('after six retries', async () => {
    onWeights(({ start }, response) => {
      if (start < 4 * PART) return undefined;
      response.writeHead(503).end();
      return 'handled';
    });
    await expect(bench.pull({ connections: 1 })).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('7 attempts'),
    });
    await finish(4);
  });

  test('after an abort', async () => {
    const abort = new AbortController();
    onWeights(({ start }) => {
      if (start < 5 * PART) return undefined;
      abort.abort();
      return 'handled';
    });
    const { signal } = abort;
    const aborted = bench.pull({ signal, connections: 1 });
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await finish(5);
  });

  test('unless its state was cut in half', async () => {
    onWeights(({ start }, response) => {
      if (start < 5 * PART) return undefined;
      response.writeHead(404).end();
      return 'handled';
    });
    await expect(bench.pull({ connections: 1 })).rejects.toThrow();
    const name = bench.blobs().find((blob) => blob.endsWith('.json'))!;
    const file = path.join(bench.blobFolder, name);
    writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size / 2));
    await finish(0);
  });
});

test('a disk that fills up is told; with room again the pull goes on', async ({ skip }) => {
  const filler = path.join(bench.cacheFolder, 'filler');
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', bench.cacheFolder]);
  if (mount.status !== 0) skip('this user may not mount a small disk');
  try {
    onWeights(({ start }) => {
      if (start === 4 * PART) fill(filler);
      return undefined;
    });
    await expect(bench.pull({ connections: 1 })).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('the disk is full'),
    });
    rmSync(filler);
    await finish(3);
  } finally {
    spawnSync('umount', [bench.cacheFolder]);
  }
});

/** Takes all the room that is left. */
function fill(file: string): void {
  try {
    writeFileSync(file, '');
    for (;;) appendFileSync(file, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

test('killed at ten moments, the next process goes on and refetches less than a part a kill', async () => {
  const large = { path: 'large.bin', bytes: noise(14 * SlowHub.partBytes + 11), isLfs: true };
  await using slow = await SlowHub.start(large);
  for (let kill = 0; kill < 10; kill++) {
    const process = slow.pull();
    await process.killAfter(SlowHub.partBytes / 2 + kill * 3000);
  }
  expect(await slow.pull().ended).toMatchObject({ code: 0 });

  const blob = path.join(slow.blobFolder, sha256Of(large.bytes));
  expect(sha256Of(readFileSync(blob))).toBe(sha256Of(large.bytes));
  expect(slow.drippedBytes - large.bytes.length).toBeLessThan(10 * SlowHub.partBytes);
}, 120_000);
