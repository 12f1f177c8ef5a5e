import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from '../../../src/tensor/dtype.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

const TRANSFORMER = 'transformer/diffusion_pytorch_model.safetensors';
const VAE = 'vae/diffusion_pytorch_model.safetensors';

/** Copies of the tiny checkpoint, each with one thing wrong. */
export function brokenModel(folder: string): {
  truncated: string;
  renamed: string;
  notFinite: string;
  misconfigured: string;
} {
  const copy = (name: string): string => copyModel(join(folder, name));
  const truncated = copy('truncated');
  truncateSync(join(truncated, VAE), 1_000_000);
  const renamed = copy('renamed');
  rewriteHeader(join(renamed, TRANSFORMER), '"proj_out.bias"', '"proj_out.bios"');
  const notFinite = copy('not-finite');
  const toNan = (values: Float32Array): void => void values.fill(Number.NaN, 0, 1);
  editTensor(notFinite, 'transformer', { tensor: 'proj_out.bias', edit: toNan });
  const misconfigured = copy('misconfigured');
  const config = join(misconfigured, 'transformer', 'config.json');
  const json = JSON.parse(readFileSync(config, 'utf8')) as Record<string, unknown>;
  writeFileSync(config, JSON.stringify({ ...json, rope_axes_dim: [8, 28] }));
  return { truncated, renamed, notFinite, misconfigured };
}

/** Replaces text of the header by text of the same length. */
function rewriteHeader(path: string, from: string, to: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(from);
  bytes.write(to, at);
  writeFileSync(path, bytes);
}

/** Copies the tiny checkpoint; the path of the copy. */
export function copyModel(target: string): string {
  cpSync(TINY_MODEL, target, { recursive: true });
  return target;
}

/** Changes the values of a tensor in a part of a copied checkpoint. */
export function editTensor(
  model: string,
  part: string,
  change: { readonly tensor: string; readonly edit: (values: Float32Array) => void },
): void {
  const [file] = readdirSync(join(model, part)).filter((name) => name.endsWith('.safetensors'));
  const path = join(model, part, file!);
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, Entry>;
  const { dtype, data_offsets } = header[change.tensor]!;
  const [start, end] = data_offsets.map((offset) => 8 + headerBytes + offset) as [number, number];
  const type = dtype === 'BF16' ? 'bf16' : 'f16';
  const stored = new Uint16Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end),
  );
  const values = decode(stored, type);
  change.edit(values);
  bytes.set(new Uint8Array(encode(values, type).buffer), start);
  writeFileSync(path, bytes);
}

interface Entry {
  readonly dtype: 'F16' | 'BF16';
  readonly data_offsets: readonly [number, number];
}
