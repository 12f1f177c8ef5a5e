import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { FramePackError } from '../../errors.ts';
import { type JsonValue, scanJson } from './json-scanner.ts';
import { SafetensorsFile } from './safetensors-file.ts';
import type { TensorEntry } from './safetensors-header.ts';

const MAX_SHARDS = 10_000;
const MAX_INDEX_BYTES = 100_000_000;
const WEIGHTS = '.safetensors';
const INDEX = '.safetensors.index.json';

/** A tensor and the file that holds it. */
export interface LocatedTensor {
  readonly entry: TensorEntry;
  readonly file: SafetensorsFile;
}

/**
 * Finds and validates the files of a checkpoint: one safetensors file, a folder of them, or a sharded index.
 *
 * Files found through a folder or an index must lie in that folder; links that leave it are refused, except the ones
 * that the Hugging Face cache itself makes (`models--org--name/snapshots/<commit>/file` to `models--org--name/blobs/`).
 *
 * @returns every tensor by name.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when a file is missing, invalid or outside the folder, when a tensor
 *   is in two files, or when index and files disagree.
 */
export function openCheckpointFiles(path: string): ReadonlyMap<string, LocatedTensor> {
  if (!existsSync(path)) throw fault(path, 'expected a file or a folder, got nothing there');
  if (statSync(path).isDirectory()) return openFolder(path);
  return path.endsWith(INDEX) ? openIndex(path) : collect([SafetensorsFile.open(path)]);
}

function openFolder(folder: string): ReadonlyMap<string, LocatedTensor> {
  const names = readdirSync(folder).sort();
  const indexes = names.filter((name) => name.endsWith(INDEX));
  if (indexes.length > 1) {
    throw fault(
      folder,
      `expected one index, got ${indexes.join(', ')}: pass the path of one of them`,
    );
  }
  const [index] = indexes;
  if (index !== undefined) return openIndex(join(folder, index));
  const files = names.filter((name) => name.endsWith(WEIGHTS));
  if (files.length === 0) throw fault(folder, 'expected *.safetensors files, got none');
  if (files.length > MAX_SHARDS) throw tooManyShards(folder, files.length);
  return collect(openInside(folder, files));
}

function openIndex(path: string): ReadonlyMap<string, LocatedTensor> {
  const { shardOf, totalBytes } = readShardIndex(readIndexText(path), path);
  const shards = [...new Set(shardOf.values())];
  if (shards.length > MAX_SHARDS) throw tooManyShards(path, shards.length);
  const tensors = collect(openInside(dirname(path), shards));
  for (const [name, shard] of shardOf) {
    const found = tensors.get(name);
    if (found === undefined || basename(found.file.path) !== shard) {
      throw fault(path, `tensor ${name} expected in ${shard}, got none there`);
    }
  }
  checkTotals(path, shardOf, tensors, totalBytes);
  return tensors;
}

function checkTotals(
  path: string,
  shardOf: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, LocatedTensor>,
  totalBytes: number | null,
): void {
  let storedBytes = 0;
  for (const [name, { entry, file }] of tensors) {
    if (!shardOf.has(name))
      throw fault(path, `${basename(file.path)} holds ${name}, which it does not list`);
    storedBytes += entry.byteLength;
  }
  if (totalBytes !== null && totalBytes !== storedBytes) {
    throw fault(path, `total_size expected ${storedBytes}, got ${totalBytes}`);
  }
}

/** What a sharded index says: the shard of every tensor and, if given, the bytes of all of them. */
export interface ShardIndex {
  readonly shardOf: ReadonlyMap<string, string>;
  readonly totalBytes: number | null;
}

/**
 * Parses and validates `*.safetensors.index.json`.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no such index or a shard name is not a plain file name.
 */
export function readShardIndex(text: string, path: string): ShardIndex {
  // Older writers print total_size as a float, so that numbers are not limited to integers here.
  const root = scanJson(text, { source: path, numbers: 'any' });
  const weightMap = memberOf(root, 'weight_map');
  if (!(weightMap instanceof Map)) throw fault(path, 'expected an object weight_map');
  for (const [tensor, shard] of weightMap) {
    if (typeof shard !== 'string' || !isPlainFileName(shard)) {
      throw fault(
        path,
        `tensor ${tensor} expected a shard name without folders, got ${String(shard)}`,
      );
    }
  }
  const totalBytes = memberOf(memberOf(root, 'metadata'), 'total_size');
  return {
    shardOf: weightMap as Map<string, string>,
    totalBytes: typeof totalBytes === 'number' ? totalBytes : null,
  };
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value instanceof Map ? value.get(key) : undefined;
}

function readIndexText(path: string): string {
  const { size } = statSync(path);
  if (size > MAX_INDEX_BYTES) {
    throw fault(path, `expected at most ${MAX_INDEX_BYTES} bytes, got ${size}`);
  }
  return readFileSync(path, 'utf8');
}

function isPlainFileName(name: string): boolean {
  return name.endsWith(WEIGHTS) && name !== WEIGHTS && !/[/\\:\0]/.test(name);
}

function openInside(folder: string, names: readonly string[]): SafetensorsFile[] {
  const root = realpathSync(folder);
  return names.map((name) => {
    const path = join(root, name);
    if (!existsSync(path)) {
      throw fault(folder, `expected the shard ${name}, got no such file`);
    }
    const target = realpathSync(path);
    if (!isInside(target, root) && !isCacheLink(root, target)) {
      throw fault(folder, `${name} expected inside the folder, got a link to ${target}`);
    }
    return SafetensorsFile.open(path);
  });
}

function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return steps !== '' && steps !== '..' && !steps.startsWith(`..${sep}`);
}

/** Whether a snapshot folder of the Hugging Face cache may link to this file: only to blobs of the same repository. */
function isCacheLink(folder: string, target: string): boolean {
  const repository = /^(.*\/models--[^/]+)\/snapshots\/[0-9a-f]{40}(?:\/|$)/.exec(folder)?.[1];
  return repository !== undefined && isInside(target, join(repository, 'blobs'));
}

function collect(files: readonly SafetensorsFile[]): ReadonlyMap<string, LocatedTensor> {
  const tensors = new Map<string, LocatedTensor>();
  for (const file of files) {
    for (const [name, entry] of file.header.tensors) {
      const other = tensors.get(name);
      if (other !== undefined) {
        throw fault(file.path, `tensor ${name} expected once, got it in ${other.file.path} too`);
      }
      tensors.set(name, { entry, file });
    }
  }
  return tensors;
}

function tooManyShards(path: string, count: number): FramePackError {
  return fault(path, `expected at most ${MAX_SHARDS} shards, got ${count}`);
}

function fault(path: string, text: string): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${path}: ${text}`, { path });
}
