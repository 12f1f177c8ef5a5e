import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { FramePackError } from '../../errors.ts';
import { type JsonValue, scanJson } from './json-scanner.ts';
import type { TensorEntry } from './safetensors-header.ts';
import { readTextFile } from './text-file.ts';
import { WeightFile } from './weight-file.ts';
import { chooseFiles } from './weight-variants.ts';

const MAX_SHARDS = 10_000;
const MAX_INDEX_BYTES = 100_000_000;
const WEIGHTS = '.safetensors';
const INDEX = /\.safetensors\.index(\.\w+)?\.json$/;
/** A file of a Hugging Face cache, named by its content. */
const CACHE_BLOB = /\/models--[^/]+\/blobs\/[^/]+$/;

/** A tensor and the file that holds it. */
export interface LocatedTensor {
  readonly entry: TensorEntry;
  readonly file: WeightFile;
}

/** Which files of a folder are opened. */
export interface CheckpointFileOptions {
  /** Word in the names of the weights to prefer, such as `fp16`; empty for the plain ones. */
  readonly variant?: string;
  /** Whether files may be links that leave the folder, wherever they lead. */
  readonly allowLinks?: boolean;
}

/**
 * Finds and validates the files of a checkpoint: one safetensors or GGUF file, a folder of safetensors files or with
 * one GGUF file, or a sharded index.
 *
 * Files found through a folder or an index must lie in that folder; links that leave it are refused, except those to a
 * blob of a Hugging Face cache (`models--org--name/blobs/`), which is named by its content.
 *
 * @returns every tensor by name.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when a file is missing, invalid or outside the folder, when a tensor
 *   is in two files, or when index and files disagree.
 */
export function openCheckpointFiles(
  path: string,
  options: CheckpointFileOptions = {},
): ReadonlyMap<string, LocatedTensor> {
  if (!existsSync(path)) throw fault(path, 'expected a file or a folder, got nothing there');
  if (statSync(path).isDirectory()) return openFolder(path, options);
  return INDEX.test(path) ? openIndex(path, options) : collect([WeightFile.open(path)]);
}

function openFolder(
  folder: string,
  options: CheckpointFileOptions,
): ReadonlyMap<string, LocatedTensor> {
  const { indexes, files } = chooseFiles(readdirSync(folder), options.variant ?? '', folder);
  if (indexes.length > 1) {
    throw fault(
      folder,
      `expected one index, got ${indexes.join(', ')}: pass the path of one of them`,
    );
  }
  const [index] = indexes;
  if (index !== undefined) return openIndex(join(folder, index), options);
  if (files.length === 0) return collect(openInside(folder, [ggufAmong(folder)], options));
  if (files.length > MAX_SHARDS) throw tooManyShards(folder, files.length);
  return collect(openInside(folder, files, options));
}

/** GGUF files are alternatives of each other: the same weights in more or fewer bits. */
function ggufAmong(folder: string): string {
  const [first, ...others] = readdirSync(folder).filter(
    (name) => name.endsWith('.gguf') && !name.startsWith('.'),
  );
  if (first === undefined)
    throw fault(folder, 'expected *.safetensors files or one *.gguf, got none');
  if (others.length === 0) return first;
  throw fault(
    folder,
    `expected one *.gguf, got ${[first, ...others].sort().join(', ')}: pass the path of one of them`,
  );
}

function openIndex(
  path: string,
  options: CheckpointFileOptions,
): ReadonlyMap<string, LocatedTensor> {
  const shardOf = readShardIndex(readTextFile(path, MAX_INDEX_BYTES), path);
  const shards = [...new Set(shardOf.values())];
  if (shards.length > MAX_SHARDS) throw tooManyShards(path, shards.length);
  const tensors = collect(openInside(dirname(path), shards, options));
  for (const [name, shard] of shardOf) {
    const found = tensors.get(name);
    if (found === undefined || basename(found.file.path) !== shard) {
      throw fault(path, `tensor ${name} expected in ${shard}, got none there`);
    }
  }
  for (const [name, { file }] of tensors) {
    if (shardOf.has(name)) continue;
    throw fault(path, `${basename(file.path)} holds ${name}, which it does not list`);
  }
  return tensors;
}

/**
 * Parses and validates `*.safetensors.index.json`. Its `total_size` is not compared: editors leave it as it was.
 *
 * @returns the shard of every tensor.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when it is no such index or a shard name is not a plain file name.
 */
export function readShardIndex(text: string, path: string): ReadonlyMap<string, string> {
  // Older writers print total_size as a float, so that numbers are not limited to integers here.
  const weightMap = memberOf(scanJson(text, { source: path, numbers: 'any' }), 'weight_map');
  if (!(weightMap instanceof Map)) throw fault(path, 'expected an object weight_map');
  for (const [tensor, shard] of weightMap) {
    if (typeof shard !== 'string' || !isPlainFileName(shard)) {
      throw fault(
        path,
        `tensor ${tensor} expected a shard name without folders, got ${String(shard)}`,
      );
    }
  }
  return weightMap as Map<string, string>;
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value instanceof Map ? value.get(key) : undefined;
}

function isPlainFileName(name: string): boolean {
  return name.endsWith(WEIGHTS) && name !== WEIGHTS && !/[/\\:\0]/.test(name);
}

function openInside(
  folder: string,
  names: readonly string[],
  { allowLinks = false }: CheckpointFileOptions,
): WeightFile[] {
  const root = realpathSync(folder);
  return names.map((name) => {
    const path = join(root, name);
    if (!existsSync(path)) {
      throw fault(folder, `expected the shard ${name}, got no such file`);
    }
    const target = realpathSync(path);
    if (!allowLinks && !isInside(target, root) && !CACHE_BLOB.test(target)) {
      throw fault(
        folder,
        `${name} expected inside the folder or in a Hugging Face cache, got a link to ${target}: allow links if that is right`,
      );
    }
    return WeightFile.open(path);
  });
}

function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return steps !== '' && steps !== '..' && !steps.startsWith(`..${sep}`);
}

function collect(files: readonly WeightFile[]): ReadonlyMap<string, LocatedTensor> {
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
