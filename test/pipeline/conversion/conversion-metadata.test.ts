import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { conversionMetadata } from '../../../src/pipeline/conversion/conversion-metadata.ts';
import { openCheckpointFiles } from '../../../src/weights/files/checkpoint-files.ts';
import { buildSafetensors, f32 } from '../../build-safetensors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-conversion-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function metadataOf(before: Readonly<Record<string, string>>, place = '.') {
  const path = join(folder, place, 'in.safetensors');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, buildSafetensors({ a: f32([1], [1]) }, before));
  const lora = { file: join(folder, 'style.safetensors'), scale: 0.5, sha256: 'ab', numMatched: 2 };
  const choice = { fp8: 'channel', dtype: null, loras: [{ ...lora, unmatched: ['x'] }] } as const;
  return conversionMetadata(openCheckpointFiles(path), choice);
}

test('keeps what was there and says what was done, without folders', () => {
  const { framepack_node: done, ...rest } = metadataOf({ author: 'someone' });
  expect(rest).toEqual({ format: 'pt', author: 'someone' });
  expect(JSON.parse(done!)).toEqual([
    {
      version: expect.stringMatching(/^\d/),
      source: ['in.safetensors'],
      ...{ fp8: 'channel', dtype: null },
      loras: [
        { file: 'style.safetensors', scale: 0.5, sha256: 'ab', numMatched: 2, numUnmatched: 1 },
      ],
    },
  ]);
});

test('adds to what was done before', () => {
  const before = JSON.stringify([{ fp8: 'tensor' }]);
  const { framepack_node: done } = metadataOf({ framepack_node: before });
  expect(JSON.parse(done!)).toMatchObject([{ fp8: 'tensor' }, { fp8: 'channel' }]);
});

test.each(['no JSON', '{"a": 1}'])('passes over %j that others wrote there', (before) => {
  const { framepack_node: done } = metadataOf({ framepack_node: before });
  expect(JSON.parse(done!)).toMatchObject([{ fp8: 'channel' }]);
});

test('weights from a Hugging Face cache keep the name of their repository', () => {
  const place = 'models--lllyasviel--FramePackI2V_HY/snapshots/abc';
  expect(metadataOf({}, place)['modelspec.title']).toBe('FramePackI2V_HY');
  expect(metadataOf({ 'modelspec.title': 'mine' }, place)['modelspec.title']).toBe('mine');
});
