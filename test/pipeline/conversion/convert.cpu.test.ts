import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { convert } from '../../../src/pipeline/conversion/convert.ts';
import {
  type ConvertEvent,
  FP8_SCHEMES,
} from '../../../src/pipeline/conversion/convert-options.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { WeightFile } from '../../../src/weights/files/weight-file.ts';
import { LoraEdits } from '../../../src/weights/lora/lora-edits.ts';
import { matchLora } from '../../../src/weights/lora/lora-file.ts';
import { LoraModules } from '../../../src/weights/lora/lora-modules.ts';
import { officialShapes } from '../../full-size/official-shapes.ts';
import { storedAs } from '../../full-size/public-layouts.ts';
import { writeShards, writeSparse } from '../../full-size/sparse-file.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { tinyGguf } from '../../models/tiny-gguf.ts';
import { tinyWithWeights } from '../../models/tiny-with-weights.ts';
import { repositoryPath } from '../../tokenizers/vocabularies.ts';
import { writeTinyLora } from '../inputs/tiny-lora.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

const TINY = join(TINY_MODEL, 'transformer/diffusion_pytorch_model.safetensors');
const GOLDEN = repositoryPath('test/fixtures/golden/fp8/tiny.json');
const ORACLE = repositoryPath('test/golden/fp8_golden.py');

let folder: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-convert-'));
  target = join(folder, 'out.safetensors');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Digest {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

function digests(path: string): Record<string, Digest> {
  const file = WeightFile.open(path);
  const entries = [...file.header.tensors.values()].map((entry) => {
    const sha256 = createHash('sha256').update(file.readBytes(entry)).digest('hex').slice(0, 16);
    return [entry.name, { dtype: entry.storedType, shape: entry.shape, sha256 }] as const;
  });
  return Object.fromEntries(entries);
}

const metadataOf = (path: string) => Object.fromEntries(WeightFile.open(path).header.metadata);

function hasReferenceReader(): boolean {
  return spawnSync('python3', ['-c', 'import numpy, ml_dtypes, safetensors']).status === 0;
}

describe.each(FP8_SCHEMES)('the small checkpoint in fp8 %s', (fp8) => {
  test('has every bit that numpy gives it, and all others as they were', async () => {
    const { file, bytes, numQuantized, leftOut } = await convert(TINY_MODEL, target, { fp8 });
    expect({ file, numQuantized, leftOut }).toEqual({
      file: target,
      numQuantized: 66,
      leftOut: [],
    });
    expect(statSync(target).size).toBe(bytes);
    const golden = JSON.parse(readFileSync(GOLDEN, 'utf8'))[fp8] as Record<string, Digest>;
    expect(Object.keys(golden)).toHaveLength(2 * 66);
    const expected = { ...digests(TINY), ...golden };
    expect(digests(target)).toEqual(expected);
    expect(JSON.parse(metadataOf(target).framepack_node!)).toMatchObject([{ fp8, loras: [] }]);
  });

  test.skipIf(!hasReferenceReader())('is read by the reference reader', async () => {
    await convert(TINY_MODEL, target, { fp8 });
    const said = execFileSync('python3', [ORACLE, fp8, target], { encoding: 'utf8' });
    expect(said).toBe('302 tensors agree\n');
  });
});

test('shards become one file', async () => {
  const shards = join(folder, 'shards');
  mkdirSync(shards);
  const shapes = { 'x_embedder.proj.weight': [4, 2, 1, 2, 2], 'proj_out.weight': [8, 4] };
  writeShards(shards, 'diffusion', storedAs('F32', shapes), 100);
  expect(readdirSync(shards)).toHaveLength(3);
  for (const source of [shards, join(shards, 'diffusion.safetensors.index.json')]) {
    await convert(source, target, { dtype: 'bf16', overwrite: true });
    const found = Object.entries(digests(target)).map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(found)).toEqual(shapes);
  }
});

test('fp8 is widened, and what nobody needs is named', async () => {
  await convert(TINY, target, { fp8: 'block64' });
  const wide = join(folder, 'wide.safetensors');
  const { leftOut } = await convert(target, wide, { dtype: 'bf16' });
  expect(leftOut).toEqual([]);
  const [before, after] = [digests(TINY), digests(wide)];
  expect(Object.keys(after).toSorted()).toEqual(Object.keys(before).toSorted());
  expect(after['x_embedder.proj.weight']).toEqual(before['x_embedder.proj.weight']);
  expect(JSON.parse(metadataOf(wide).framepack_node!)).toMatchObject([
    { fp8: 'block64' },
    { fp8: null, dtype: 'bf16' },
  ]);
});

test('a prefix goes, and the tensors of another network are named', async () => {
  const source = join(folder, 'all.safetensors');
  const names = ['model.diffusion_model.x_embedder.proj.weight', 'vae.decoder.conv_in.bias'];
  writeSparse(source, storedAs('BF16', Object.fromEntries(names.map((name) => [name, [2, 2]]))));
  const { leftOut } = await convert(source, target, { dtype: 'f16' });
  expect(leftOut).toEqual(['vae.decoder.conv_in.bias']);
  expect(Object.keys(digests(target))).toEqual(['x_embedder.proj.weight']);
});

describe('LoRAs', () => {
  test('are merged with the bits that a run gives them', async () => {
    const file = writeTinyLora(folder, 3);
    const { loras } = await convert(TINY, target, { loras: [{ file, scale: 0.5 }] });
    expect(loras).toMatchObject([{ file, scale: 0.5, numMatched: 4, unmatched: [] }]);
    await using device = Device.open('cpu');
    await scope(async () => {
      const [base, made] = [
        await Checkpoint.open(device, TINY),
        await Checkpoint.open(device, target),
      ];
      const lora = matchLora(file, base, new LoraModules(base));
      const merged = base.scope().edited(await LoraEdits.open(device, [{ lora, scale: 0.5 }]));
      for (const name of base.names()) {
        const shape = base.shapeOf(name);
        const [expected, found] = [merged.take(name, shape), made.take(name, shape)];
        const [a, b] = [
          Buffer.from((await expected.read()).buffer),
          Buffer.from((await found.read()).buffer),
        ];
        expect([found.dtype, a.equals(b)], name).toEqual([expected.dtype, true]);
      }
    });
  });

  test('are rounded with the matrix that they change, and a video is made with it', async () => {
    const file = writeTinyLora(folder, 3);
    await convert(TINY, target, { fp8: 'block64', loras: [{ file }] });
    const [plain, changed] = [join(folder, 'plain.safetensors'), digests(target)];
    await convert(TINY, plain, { fp8: 'block64' });
    const differing = Object.entries(digests(plain))
      .filter(([name, { sha256 }]) => changed[name]!.sha256 !== sha256)
      .map(([name]) => name.replace(/\.(scale_)?weight$/, ''));
    const modules = ['transformer_blocks.0.attn.to_v', 'single_transformer_blocks.2.attn.to_v'];
    expect([...new Set(differing)].toSorted()).toEqual(modules.toSorted());
    const events = await collect({
      ...TINY_REQUEST,
      steps: 1,
      model: tinyWithWeights(join(folder, 'model'), target),
    });
    expect(events.at(-1)?.type).toBe('done');
  });

  test('of scale 0 change nothing', async () => {
    await convert(TINY, target, { loras: [{ file: writeTinyLora(folder, 3), scale: 0 }] });
    expect(digests(target)).toEqual(digests(TINY));
  });
});

test('memory is bounded by the largest tensor, at the true size of blocks', async () => {
  const anonymous = () =>
    Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
  const blocks = Object.entries(officialShapes().transformer).filter(([name]) =>
    /^(x_embedder|single_transformer_blocks\.[0-3]\.)/.test(name),
  );
  const source = join(folder, 'blocks.safetensors');
  writeSparse(source, storedAs('BF16', Object.fromEntries(blocks)));
  expect(statSync(source).size).toBeGreaterThan(1.1e9);
  const before = anonymous();
  let peak = 0;
  const onEvent = (): void => {
    peak = Math.max(peak, anonymous() - before);
  };
  const timer = setInterval(onEvent, 5);
  await convert(source, target, { fp8: 'block64', onEvent });
  clearInterval(timer);
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(700e6);
}, 120_000);

/** All that lies in the folder. */
function leaves(...names: string[]): void {
  expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());
}

describe('an output that cannot be is refused, and nothing left behind:', () => {
  test('an existing file without overwrite', async () => {
    writeFileSync(target, 'mine');
    const taken = { code: 'ERR_OUTPUT', message: expect.stringContaining('--force') };
    await expect(convert(TINY, target, { fp8: 'tensor' })).rejects.toMatchObject(taken);
    expect(readFileSync(target, 'utf8')).toBe('mine');
    leaves('out.safetensors');
    await convert(TINY, target, { fp8: 'tensor', overwrite: true });
    expect(statSync(target).size).toBeGreaterThan(1e6);
    leaves('out.safetensors');
  });

  test('the source itself', async () => {
    copyFileSync(TINY, target);
    await expect(convert(target, target, { fp8: 'tensor', overwrite: true })).rejects.toMatchObject(
      { code: 'ERR_ARGUMENT' },
    );
    expect(digests(target)).toEqual(digests(TINY));
  });

  test('a disk without room, before anything is written', async () => {
    const source = join(folder, 'huge.safetensors');
    writeSparse(source, storedAs('F8_E4M3', { 'x_embedder.proj.weight': [2 ** 21, 2 ** 21] }));
    const seen: ConvertEvent[] = [];
    const options = { dtype: 'f32', onEvent: (event: ConvertEvent) => seen.push(event) } as const;
    await expect(convert(source, target, options)).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringMatching(/bytes of free space, got \d+; make room/),
    });
    expect(seen).toEqual([]);
    leaves('huge.safetensors');
  });
});

describe('an input that cannot be is refused, and nothing left behind:', () => {
  test('weights of something else', async () => {
    const vae = join(TINY_MODEL, 'vae');
    await expect(convert(vae, target, { fp8: 'tensor' })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining('the transformer expected tensor x_embedder.proj.weight'),
    });
    leaves();
  });

  test('scales that nobody reads', async () => {
    const source = join(folder, 'in.safetensors');
    const names = ['x_embedder.proj.weight', 'transformer_blocks.0.ff.net.2.weight_scale_2'];
    writeSparse(source, storedAs('F8_E4M3', Object.fromEntries(names.map((name) => [name, [1]]))));
    await expect(convert(source, target, { fp8: 'tensor' })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining('weight_scale_2'),
    });
    leaves('in.safetensors');
  });

  test('a LoRA for another model', async () => {
    const loras = [{ file: join(TINY_MODEL, 'vae/diffusion_pytorch_model.safetensors') }];
    await expect(convert(TINY, target, { loras })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
    });
    leaves();
  });

  test('weights that are not finite, in the middle of the work', async () => {
    const source = join(folder, 'in.safetensors');
    copyFileSync(TINY, source);
    const file = WeightFile.open(source);
    const { byteOffset } = file.header.tensors.get('transformer_blocks.2.ff.net.2.weight')!;
    const bytes = readFileSync(source);
    bytes.writeUInt16LE(0x7fc0, byteOffset);
    writeFileSync(source, bytes);
    await expect(convert(source, target, { fp8: 'block64' })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      details: { tensor: 'transformer_blocks.2.ff.net.2.weight' },
    });
    leaves('in.safetensors');
  });
});

describe('stopped', () => {
  test('by a signal, before and during the work, it leaves nothing', async () => {
    const before = AbortSignal.abort('SIGINT');
    const during = new AbortController();
    const onEvent = (): void => during.abort('SIGTERM');
    for (const options of [{ signal: before }, { signal: during.signal, onEvent }]) {
      await expect(convert(TINY, target, { fp8: 'tensor', ...options })).rejects.toMatchObject({
        code: 'ERR_ABORTED',
        cause: expect.stringMatching(/^SIG/),
      });
      expect(existsSync(target)).toBe(false);
      leaves();
    }
  });
});

test('blocks of a GGUF file become numbers, and those fp8', async () => {
  const { gguf, numbers } = await tinyGguf();
  const [blocks, plain] = [join(folder, 'a.gguf'), join(folder, 'a.safetensors')];
  writeFileSync(blocks, gguf);
  writeFileSync(plain, numbers);
  const outputs: Record<string, Digest>[] = [];
  for (const source of [blocks, plain]) {
    for (const choice of [{ dtype: 'bf16' }, { fp8: 'block64', dtype: 'bf16' }] as const) {
      await convert(source, target, { ...choice, overwrite: true });
      outputs.push(digests(target));
    }
  }
  const [wide, narrow, ...fromNumbers] = outputs;
  expect([wide, narrow]).toEqual(fromNumbers);
  // Without a type of its own a block is written in the one that it is read in, and the others as they are.
  await convert(blocks, target, { fp8: 'block64', overwrite: true });
  const types = Object.values(digests(target)).map(({ dtype }) => dtype);
  expect(new Set(types)).toEqual(new Set(['BF16', 'F32', 'F8_E4M3']));
});
