import { mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WeightFile } from '../../../src/weights/files/weight-file.ts';
import { buildSafetensors, bytesOf, f32 } from '../../build-safetensors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weight-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('WeightFile', () => {
  it('reads the header and the bytes of a tensor', () => {
    const path = write(
      'a.safetensors',
      buildSafetensors({ a: f32([1], [7]), b: f32([2], [1, 2]) }),
    );
    const file = WeightFile.open(path);
    expect([...file.header.tensors.keys()]).toEqual(['a', 'b']);
    const bytes = file.readBytes(file.header.tensors.get('b')!);
    expect([...bytes]).toEqual([...bytesOf(Float32Array.of(1, 2))]);
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n', 'a Git LFS pointer'],
    ['<!DOCTYPE html><html></html>', 'a web page'],
    ['\n<html>', 'a web page'],
    ['PK\u0003\u0004rest', 'a PyTorch or zip archive'],
    ['GGUF\u0003\u0000\u0000\u0000', 'a header of at most 8 bytes, got a longer one'],
  ])('names what %j is', (content, message) => {
    const path = write('model.safetensors', content);
    expect(() => WeightFile.open(path)).toThrow(message);
  });

  it('refuses a missing file, a folder and a file that is cut off', () => {
    expect(() => WeightFile.open(join(folder, 'none'))).toThrow('expected a readable file');
    expect(() => WeightFile.open(folder)).toThrow('expected a regular file');
    const whole = buildSafetensors({ a: f32([4], [1, 2, 3, 4]) });
    const path = write('cut.safetensors', whole.subarray(0, whole.length - 1));
    expect(() => WeightFile.open(path)).toThrow('the file is cut off');
  });

  it('notices a file that was truncated, replaced or removed after it was opened', () => {
    const path = write('a.safetensors', buildSafetensors({ a: f32([2], [1, 2]) }));
    const file = WeightFile.open(path);
    file.assertUnchanged();
    utimesSync(path, 1, 1);
    expect(() => file.assertUnchanged()).toThrow('got a changed or removed one');
    const reopened = WeightFile.open(path);
    truncateSync(path, 20);
    expect(() => reopened.readBytes(reopened.header.tensors.get('a')!)).toThrow(
      'changed or removed',
    );
    rmSync(path);
    expect(() => file.assertUnchanged()).toThrow('changed or removed');
  });
});
