import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  countSectionCheckpoints,
  readSectionCheckpoint,
  type StoredSection,
  writeSectionCheckpoint,
} from '../../src/jobs/section-checkpoint.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { buildSafetensors, f32 } from '../build-safetensors.ts';

const DIGESTS = { prompt: 'a'.repeat(64), seed: 'b'.repeat(64) };

let device: Device;
let folder: string;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'framepack-job-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await device.close();
});

const fileOf = (section: number): string => join(folder, `section-000${section}.safetensors`);
const latentsOf = (section: number): Tensor<'f32'> =>
  new Generator(section).randn(device, [1, 2, 3, 4, 5]);
const stateOf = (section: number): Uint32Array => new Generator(100 + section).state;
const write = (sectionIndex: number, before: string | null = null): Promise<string> =>
  writeSectionCheckpoint(folder, {
    ...{ sectionIndex, before, digests: DIGESTS },
    ...{ latents: latentsOf(sectionIndex), noiseState: stateOf(sectionIndex) },
  });
const read = (
  sectionIndex: number,
  digests: Record<string, string> = DIGESTS,
  before: string | null = null,
): StoredSection | null => readSectionCheckpoint(device, folder, { sectionIndex, before, digests });

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

const replaced = (from: string, to: string) => (bytes: Buffer) => {
  expect(bytes.includes(from)).toBe(true);
  return Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
};

test('comes back bit for bit, and leaves no other file', async () => {
  for (const section of [0, 1, 1]) await write(section);
  for (const section of [0, 1]) {
    const stored = read(section)!;
    expect(stored.latents.shape).toEqual([1, 2, 3, 4, 5]);
    expect(await stored.latents.read()).toEqual(await latentsOf(section).read());
    expect(stored.noiseState).toEqual(stateOf(section));
  }
  expect(read(2)).toBeNull();
  expect(readdirSync(folder).sort()).toEqual([0, 1].map((n) => `section-000${n}.safetensors`));
});

test('belongs to the section before it', async () => {
  const first = await write(0);
  const second = await write(1, first);
  expect(read(0)).toMatchObject({ sha256: first });
  expect(read(1, DIGESTS, first)).toMatchObject({ sha256: second });
  expect(read(1)).toBeNull();
  expect(read(1, DIGESTS, second)).toBeNull();
});

test('is counted from the first on', async () => {
  for (const section of [0, 1, 3]) await write(section);
  expect(await countSectionCheckpoints(folder)).toBe(2);
});

describe('an unusable checkpoint is none', () => {
  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['empty', () => new Uint8Array()],
    ['longer than written', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
    ['zeros of the same length', (bytes) => new Uint8Array(bytes.length)],
    ['of another version', replaced('"version":"2"', '"version":"1"')],
    ['of another format', replaced('"format":"framepack-section"', '"format":"framepack-sectiom"')],
    ['of another section', replaced('"section":"1"', '"section":"3"')],
    ['foreign', () => buildSafetensors({ latents: f32([1], [1]) })],
  ])('%s', async (_, change) => {
    await write(1);
    writeFileSync(fileOf(1), change(readFileSync(fileOf(1))));
    expect(read(1)).toBeNull();
  });

  test('at whatever byte it is torn, whatever bit of it is flipped', async () => {
    await write(1);
    const whole = readFileSync(fileOf(1));
    for (let at = 0; at < whole.length; at += 13) {
      writeFileSync(fileOf(1), whole.subarray(0, at));
      expect(read(1), `torn at ${at}`).toBeNull();
      writeFileSync(fileOf(1), flipped(whole, at));
      expect(read(1), `flipped at ${at}`).toBeNull();
    }
  });

  test('a copy under the name of another section', async () => {
    await write(0);
    copyFileSync(fileOf(0), fileOf(4));
    expect(read(4)).toBeNull();
  });
});

test.each([
  [{ ...DIGESTS, prompt: 'c'.repeat(64) }, ['prompt']],
  [{ prompt: DIGESTS.prompt }, ['seed']],
  [{ ...DIGESTS, steps: 'd'.repeat(64) }, ['steps']],
])('a job that was started with something else is refused: %j', async (digests, changed) => {
  await write(0);
  expect(() => read(0, digests)).toThrow(
    expect.objectContaining({ code: 'ERR_ARGUMENT', details: { folder, changed } }),
  );
  expect(existsSync(fileOf(0))).toBe(true);
});

test('a folder that is not there cannot be written to', async () => {
  folder = join(folder, 'none');
  await expect(write(0)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
});
