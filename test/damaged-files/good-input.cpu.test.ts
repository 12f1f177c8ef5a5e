import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GenerateRequest } from '../../src/pipeline/request.ts';
import { TINY_MODEL } from '../models/tiny-framepack.ts';
import { collect, framesOf, TINY_REQUEST } from '../pipeline/tiny-request.ts';

let root: string;
let plain: readonly Uint8Array[];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'good-input-'));
  plain = await framesWith(TINY_MODEL);
});
afterAll(() => rmSync(root, { recursive: true }));

async function framesWith(
  model: string,
  options: Partial<GenerateRequest> = {},
): Promise<readonly Uint8Array[]> {
  return framesOf(await collect({ ...TINY_REQUEST, steps: 1, ...options, model }));
}

function copy(name: string): string {
  const folder = join(root, name);
  cpSync(TINY_MODEL, folder, { recursive: true });
  return folder;
}

const textFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(json|txt)$/.test(name))
    .map((name) => join(folder, name));
const weightFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => join(folder, name));

/** Changes the header of a safetensors file, which may grow. */
function changeHeader(file: string, change: (header: Record<string, unknown>) => void): void {
  const bytes = readFileSync(file);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, end)) as Record<string, unknown>;
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(file, Buffer.concat([length, padded, bytes.subarray(end)]));
}

test('a folder that other systems and programs have touched gives the frames of the plain one', async () => {
  const folder = copy('touched');
  for (const file of textFiles(folder)) writeFileSync(file, `\uFEFF${readFileSync(file, 'utf8')}`);
  for (const file of weightFiles(folder)) {
    writeFileSync(join(dirname(file), `._${file.split('/').at(-1)}`), 'Mac OS X');
    writeFileSync(join(dirname(file), '.DS_Store'), 'Bud1');
    changeHeader(file, (header) => {
      header.__metadata__ = null;
    });
  }
  writeFileSync(
    join(folder, 'vae', 'diffusion_pytorch_model.safetensors.index.json'),
    JSON.stringify({
      metadata: { total_size: 1 },
      weight_map: Object.fromEntries(
        tensorNames(join(folder, 'vae', 'diffusion_pytorch_model.safetensors')).map((name) => [
          name,
          'diffusion_pytorch_model.safetensors',
        ]),
      ),
    }),
  );
  expect(await framesWith(folder)).toEqual(plain);
});

function tensorNames(file: string): string[] {
  const bytes = readFileSync(file);
  const header = JSON.parse(
    bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))),
  ) as object;
  return Object.keys(header).filter((name) => name !== '__metadata__');
}

test('of two variants the plain one is taken, and the other where it is asked for', async () => {
  const folder = copy('variants');
  const vae = join(folder, 'vae', 'diffusion_pytorch_model.safetensors');
  const other = join(folder, 'vae', 'diffusion_pytorch_model.fp16.safetensors');
  const bytes = readFileSync(vae);
  writeFileSync(other, 'not weights');
  expect(await framesWith(folder)).toEqual(plain);
  writeFileSync(other, bytes);
  writeFileSync(vae, 'not weights');
  expect(await framesWith(folder, { variant: 'fp16' })).toEqual(plain);
  await expect(framesWith(folder, { variant: 'bf16' })).rejects.toThrow(
    'variant bf16 expected in some part, got fp16',
  );
});

test('weights may be links into a Hugging Face cache, and elsewhere when that is allowed', async () => {
  const folder = copy('links');
  const blobs = join(root, 'hub', 'models--org--name', 'blobs');
  mkdirSync(blobs, { recursive: true });
  for (const [index, file] of weightFiles(folder).entries()) {
    const blob = join(blobs, `${index}`.repeat(64));
    renameSync(file, blob);
    symlinkSync(blob, file);
  }
  expect(await framesWith(folder)).toEqual(plain);
  const elsewhere = join(root, 'elsewhere.safetensors');
  const vae = join(folder, 'vae', 'diffusion_pytorch_model.safetensors');
  writeFileSync(elsewhere, readFileSync(vae));
  rmSync(vae);
  symlinkSync(elsewhere, vae);
  await expect(framesWith(folder)).rejects.toThrow('allow links if that is right');
  expect(await framesWith(folder, { allowLinks: true })).toEqual(plain);
});

test('the layouts of other exporters give the frames of the plain one', async () => {
  const folder = copy('renamed');
  const rename = (part: string, to: (name: string) => string): void => {
    const [file] = weightFiles(join(folder, part));
    changeHeader(file!, (header) => {
      for (const [name, entry] of Object.entries(header)) {
        if (name === '__metadata__') continue;
        delete header[name];
        header[to(name)] = entry;
      }
    });
  };
  rename('transformer', (name) => `model.diffusion_model.${name}`);
  rename('text_encoder', (name) => `language_model.model.${name}`);
  rename('text_encoder_2', (name) => name.replace('text_model.', ''));
  rename('image_encoder', (name) => `vision_model.${name.replace('vision_model.', '')}`);
  rename('vae', (name) => `vae.${name}`);
  expect(await framesWith(folder)).toEqual(plain);
});
