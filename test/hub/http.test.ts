import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PullBench, weights } from './pull-bench.ts';

let bench: PullBench;

beforeEach(async () => {
  bench = await PullBench.start();
});

afterEach(() => bench[Symbol.asyncDispose]());

describe('failures that pass', () => {
  test.each([408, 429, 500, 502, 503, 504])('status %i is asked again', async (status) => {
    bench.hub.fault = ({ count }, response) => {
      if (count > 4) return undefined;
      response.writeHead(status).end();
      return 'handled';
    };
    await bench.pull();
    expect(bench.read(weights)).toEqual(weights.bytes);
    expect(bench.eventsOf('retry')).not.toEqual([]);
  });

  test('Retry-After is obeyed', async () => {
    bench.hub.fault = ({ count }, response) => {
      if (count > 0) return undefined;
      response.writeHead(429, { 'retry-after': '1' }).end();
      return 'handled';
    };
    await bench.pull({ connections: 1 });
    expect(bench.eventsOf('retry')[0]).toMatchObject({ waitMs: 1000 });
  });

  test('a silent connection is given up', async () => {
    bench.hub.fault = ({ count }) => (count === 1 ? 'handled' : undefined);
    await bench.pull();
    expect(bench.read(weights)).toEqual(weights.bytes);
    expect(bench.events).toContainEqual(
      expect.objectContaining({ type: 'retry', reason: expect.stringContaining('silent') }),
    );
  });
});

describe('failures that do not pass', () => {
  test.each([401, 403, 404])('status %i is told at once', async (status) => {
    bench.hub.fault = (_, response) => {
      response.writeHead(status).end();
      return 'handled';
    };
    await expect(bench.pull()).rejects.toMatchObject({ code: 'ERR_DOWNLOAD', details: { status } });
    expect(bench.eventsOf('retry')).toEqual([]);
  });

  test.each(['https://169.254.169.254/latest', 'http://huggingface.co/x', 'file:///etc/passwd'])(
    'a redirect to %s is not followed',
    async (location) => {
      bench.hub.fault = (_, response) => {
        response.writeHead(302, { location }).end();
        return 'handled';
      };
      await expect(bench.pull()).rejects.toMatchObject({
        code: 'ERR_DOWNLOAD',
        message: expect.stringContaining('not a host of the hub'),
      });
    },
  );

  test('redirects in a circle end', async () => {
    bench.hub.fault = ({ path }, response) => {
      response.writeHead(302, { location: `/owner/model/resolve/x/${path}` }).end();
      return 'handled';
    };
    await expect(bench.pull()).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: expect.stringContaining('redirects'),
    });
  });
});

test('the token stays on the origin of the hub', async () => {
  await bench.pull({ token: 'hf_secret' });

  expect(bench.hub.served.filter((request) => !request.isStorage)).not.toEqual([]);
  for (const { isStorage, authorization } of bench.hub.served) {
    expect(authorization).toBe(isStorage ? undefined : 'Bearer hf_secret');
  }
});
