import { describe, expect, test } from 'vitest';
import {
  parseResult,
  parseStoredRequest,
  resultDocument,
  storedRequest,
} from '../../../src/pipeline/jobs/job-files.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';

const DIGEST = 'a'.repeat(64);
const REQUEST: GenerateRequest = {
  ...{ model: 'models/a', prompt: 'A ball.', seed: 2n ** 60n, steps: 3 },
  loras: [{ file: 'a.safetensors', scale: 0.5 }],
  stepCache: { kind: 'tea', threshold: 0.1 },
};

/** As it comes back from the disk. */
function throughJson(document: object): unknown {
  const text = JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return JSON.parse(text);
}

describe('a request', () => {
  test('comes back without picture, folder and signal', () => {
    const extra = { image: 'a.png', job: 'b', signal: AbortSignal.abort() };
    const document = throughJson(storedRequest({ ...REQUEST, ...extra }, DIGEST));
    expect(parseStoredRequest(document)).toEqual({ picture: DIGEST, request: REQUEST });
    const small = throughJson(storedRequest({ ...REQUEST, seed: 5 }, null));
    expect(parseStoredRequest(small)).toEqual({ picture: null, request: { ...REQUEST, seed: 5 } });
  });

  test.each([
    ['nothing', undefined],
    ['text', 'request'],
    ['another format', { ...storedRequest(REQUEST, null), format: 'other' }],
    ['another version', { ...storedRequest(REQUEST, null), version: 2 }],
    ['a damaged digest', storedRequest(REQUEST, 'abc')],
  ])('is not %s', (_, document) => {
    expect(parseStoredRequest(document)).toBeNull();
  });

  test('of which a field is wrong is refused by its name', () => {
    const document = throughJson(storedRequest({ ...REQUEST, steps: 1000 }, null));
    expect(() => parseStoredRequest(document)).toThrow(/steps expected/);
  });
});

describe('a result', () => {
  const RESULT = { file: '/a.mp4', sha256: DIGEST, numFrames: 37, width: 128, height: 96, fps: 30 };

  test('comes back', () => {
    for (const result of [RESULT, { ...RESULT, file: null, sha256: null }]) {
      expect(parseResult(throughJson(resultDocument(result)))).toEqual(result);
    }
  });

  test('is nothing else', () => {
    expect(parseResult(undefined)).toBeNull();
    expect(parseResult({ ...resultDocument(RESULT), version: 2 })).toBeNull();
    expect(parseResult({ ...resultDocument(RESULT), numFrames: -1 })).toBeNull();
  });
});
