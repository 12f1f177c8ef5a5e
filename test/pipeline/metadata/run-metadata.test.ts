import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { runMetadata } from '../../../src/pipeline/metadata/run-metadata.ts';
import { parseMetadata } from '../../../src/pipeline/metadata/video-metadata.ts';
import { ModelFolder } from '../../../src/weights/model-folder.ts';
import { TINY_REQUEST } from '../tiny-request.ts';
import { FACTS } from './sample-facts.ts';

test('digests of what the run reads, null for those that a signal stopped', async () => {
  const folder = await ModelFolder.open(TINY_REQUEST.model);
  const image = Uint8Array.of(1, 2, 3);
  const request = { prompt: 'p', image };
  const facts = { ...FACTS, prompt: 'p' };
  const tiling = Promise.resolve('full' as const);
  const aborted = AbortSignal.abort();
  const stopped = parseMetadata(await runMetadata(request, folder, facts, aborted, tiling));
  const sha256 = createHash('sha256').update(image).digest('hex');
  expect(stopped).toMatchObject({
    checkpoint: null,
    image: sha256,
    model: 'tiny-framepack',
    tiling: 'full',
  });
  const { signal } = new AbortController();
  const whole = parseMetadata(await runMetadata(request, folder, facts, signal, tiling));
  expect(Object.keys(whole!.checkpoint!)).toHaveLength(5);
});
