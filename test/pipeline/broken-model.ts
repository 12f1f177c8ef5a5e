import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TINY_MODEL } from '../models/tiny-framepack.ts';

const TRANSFORMER = 'transformer/diffusion_pytorch_model.safetensors';
const VAE = 'vae/diffusion_pytorch_model.safetensors';
const BF16_NAN = 0x7fc0;

/** Copies of the tiny checkpoint, each with one thing wrong. */
export function brokenModel(folder: string): {
  truncated: string;
  renamed: string;
  notFinite: string;
  misconfigured: string;
} {
  const copy = (name: string): string => {
    const target = join(folder, name);
    cpSync(TINY_MODEL, target, { recursive: true });
    return target;
  };
  const truncated = copy('truncated');
  truncateSync(join(truncated, VAE), 1_000_000);
  const renamed = copy('renamed');
  rewriteHeader(join(renamed, TRANSFORMER), '"proj_out.bias"', '"proj_out.bios"');
  const notFinite = copy('not-finite');
  poison(join(notFinite, TRANSFORMER), 'proj_out.bias');
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

/** Makes the first value of a bf16 tensor NaN. */
function poison(path: string, tensor: string): void {
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  bytes.writeUInt16LE(BF16_NAN, 8 + headerBytes + header[tensor]!.data_offsets[0]);
  writeFileSync(path, bytes);
}
