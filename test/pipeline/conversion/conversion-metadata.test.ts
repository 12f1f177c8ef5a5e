import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { conversionMetadata } from '../../../src/pipeline/conversion/conversion-metadata.ts';
import { openCheckpointFiles } from '../../../src/weights/files/checkpoint-files.ts';
import { buildSafetensors, f32 } from '../../build-safetensors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-conversion-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function metadataOf(before: Readonly<Record<string, string>>) {
  const path = join(folder, 'in.safetensors');
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
