import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openCheckpointFiles,
  readShardIndex,
} from '../../../src/weights/files/checkpoint-files.ts';
import { buildSafetensors, f32 } from '../../build-safetensors.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function writeIndex(weightMap: Record<string, string>, totalSize?: number): string {
  const metadata = totalSize === undefined ? {} : { total_size: totalSize };
  return write('m.safetensors.index.json', JSON.stringify({ metadata, weight_map: weightMap }));
}

const one = (name: string) => buildSafetensors({ [name]: f32([2], [1, 2]) });
const names = (path: string) => [...openCheckpointFiles(path).keys()].sort();

describe('openCheckpointFiles', () => {
  it('opens one file, a folder of files and a sharded index', () => {
    const first = write('m-1.safetensors', one('a'));
    write('m-2.safetensors', one('b'));
    write('readme.md', 'text');
    expect(names(first)).toEqual(['a']);
    expect(names(folder)).toEqual(['a', 'b']);
    const index = writeIndex({ a: 'm-1.safetensors', b: 'm-2.safetensors' }, 16);
    expect(names(index)).toEqual(['a', 'b']);
    expect(names(folder)).toEqual(['a', 'b']);
  });

  it('ignores files that an index does not name', () => {
    write('m-1.safetensors', one('a'));
    write('other.safetensors', one('a'));
    writeIndex({ a: 'm-1.safetensors' });
    expect(names(folder)).toEqual(['a']);
  });
});

describe('files beside each other', () => {
  it('takes a stale total size, a byte order mark and hidden files as they are', () => {
    write('m-1.safetensors', one('a'));
    write('._m-1.safetensors', 'Mac OS X');
    write('._m.safetensors.index.json', 'Mac OS X');
    expect(names(folder)).toEqual(['a']);
    write(
      'm.safetensors.index.json',
      `\uFEFF${JSON.stringify({ metadata: { total_size: 1 }, weight_map: { a: 'm-1.safetensors' } })}`,
    );
    expect(names(folder)).toEqual(['a']);
  });

  it('takes the plain variant, or the one that is asked for', () => {
    write('m.safetensors', one('a'));
    write('m.fp16.safetensors', one('b'));
    expect(names(folder)).toEqual(['a']);
    expect([...openCheckpointFiles(folder, { variant: 'fp16' }).keys()]).toEqual(['b']);
  });
});

describe('openCheckpointFiles refuses', () => {
  it('nothing, an empty folder and two indexes', () => {
    expect(() => openCheckpointFiles(join(folder, 'none'))).toThrow('got nothing there');
    expect(() => openCheckpointFiles(folder)).toThrow(
      'expected *.safetensors files or one *.gguf, got none',
    );
    write('a.safetensors.index.json', '{"weight_map":{}}');
    write('b.safetensors.index.json', '{"weight_map":{}}');
    expect(() => openCheckpointFiles(folder)).toThrow(
      'a.safetensors.index.json, b.safetensors.index.json',
    );
  });

  it('refuses a tensor in two files', () => {
    write('m-1.safetensors', one('a'));
    write('m-2.safetensors', one('a'));
    expect(() => openCheckpointFiles(folder)).toThrow('tensor a expected once');
    writeIndex({ a: 'm-1.safetensors', b: 'm-2.safetensors' });
    expect(() => openCheckpointFiles(folder)).toThrow('tensor a expected once');
  });

  it('refuses an index that disagrees with its shards', () => {
    write('m-1.safetensors', one('a'));
    write('m-2.safetensors', one('b'));
    writeIndex({ a: 'm-1.safetensors', b: 'm-3.safetensors' });
    expect(() => openCheckpointFiles(folder)).toThrow('expected the shard m-3.safetensors');
    writeIndex({ a: 'm-2.safetensors', b: 'm-2.safetensors' });
    expect(() => openCheckpointFiles(folder)).toThrow('tensor a expected in m-2.safetensors');
    writeIndex({ a: 'm-1.safetensors', c: 'm-2.safetensors' });
    expect(() => openCheckpointFiles(folder)).toThrow('tensor c expected in m-2.safetensors');
    write('m-1.safetensors', buildSafetensors({ a: f32([1], [1]), extra: f32([1], [1]) }));
    writeIndex({ a: 'm-1.safetensors' });
    expect(() => openCheckpointFiles(folder)).toThrow(
      'm-1.safetensors holds extra, which it does not list',
    );
  });

  it('refuses more than 10,000 shards', () => {
    const weightMap = Object.fromEntries(
      Array.from({ length: 10_001 }, (_, i) => [`t${i}`, `${i}.safetensors`]),
    );
    expect(() => openCheckpointFiles(writeIndex(weightMap))).toThrow(
      'at most 10000 shards, got 10001',
    );
  });
});

describe('links', () => {
  it('refuses a link out of the folder', () => {
    write('outside.safetensors', one('a'));
    mkdirSync(join(folder, 'model'));
    symlinkSync('../outside.safetensors', join(folder, 'model', 'a.safetensors'));
    expect(() => openCheckpointFiles(join(folder, 'model'))).toThrow('expected inside the folder');
    const allowed = openCheckpointFiles(join(folder, 'model'), { allowLinks: true });
    expect([...allowed.keys()]).toEqual(['a']);
  });

  it('accepts a link within the folder and a folder that is a link', () => {
    write('model/blob.bin', one('a'));
    symlinkSync('blob.bin', join(folder, 'model', 'a.safetensors'));
    symlinkSync('model', join(folder, 'alias'));
    expect(names(join(folder, 'alias'))).toEqual(['a']);
  });

  it('accepts links to blobs of a Hugging Face cache, from anywhere', () => {
    write('models--org--name/blobs/abc', one('a'));
    write('models--org--name/snapshots/x', one('b'));
    const snapshot = join(folder, 'models--org--name', 'snapshots', COMMIT, 'vae');
    mkdirSync(snapshot, { recursive: true });
    symlinkSync('../../../blobs/abc', join(snapshot, 'a.safetensors'));
    expect(names(snapshot)).toEqual(['a']);
    mkdirSync(join(folder, 'model'));
    const link = join(folder, 'model', 'a.safetensors');
    symlinkSync('../models--org--name/blobs/abc', link);
    expect(names(join(folder, 'model'))).toEqual(['a']);
    rmSync(link);
    symlinkSync('../models--org--name/snapshots/x', link);
    expect(() => openCheckpointFiles(join(folder, 'model'))).toThrow('expected inside the folder');
  });
});

describe('readShardIndex', () => {
  it('reads the map, whatever number stands for the total size', () => {
    const text = '{"metadata":{"total_size":8.0},"weight_map":{"a":"m.safetensors"}}';
    expect([...readShardIndex(text, 'i')]).toEqual([['a', 'm.safetensors']]);
    expect(readShardIndex('{"weight_map":{}}', 'i').size).toBe(0);
  });

  it.each([
    '../x.safetensors',
    '/x.safetensors',
    'a/x.safetensors',
    'a\\\\x.safetensors',
    'C:x.safetensors',
    'x\\u0000.safetensors',
    '.safetensors',
    'x.bin',
    '',
  ])('refuses the shard name %j', (shard) => {
    expect(() => readShardIndex(`{"weight_map":{"a":"${shard}"}}`, 'i')).toThrow(
      'expected a shard name without folders',
    );
  });

  it.each([
    ['[]', 'expected an object weight_map'],
    ['{}', 'expected an object weight_map'],
    ['{"weight_map":[]}', 'expected an object weight_map'],
    ['{"weight_map":{"a":1}}', 'expected a shard name'],
    ['{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}', '"a" is repeated'],
    ['{"weight_map"', '":"'],
  ])('refuses %j', (text, message) => {
    expect(() => readShardIndex(text, 'i')).toThrow(message);
  });
});
