import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import type { NetworkNames } from '../../src/weights/network-names.ts';
import { NetworkTensors } from '../../src/weights/network-tensors.ts';
import { buildSafetensors, f32, type RawTensor } from '../build-safetensors.ts';

const NAMES: NetworkNames = {
  network: 'toy',
  anchor: 'first.weight',
  prefixes: ['', 'net.'],
  renames: [[/^un\./, 'first.']],
  unneeded: [/^ids$/],
};
const one = f32([1], [1]);

let folder: string;
let device: Device;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'network-tensors-'));
  device = Device.open('cpu', { threads: 1 });
});
afterEach(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

async function open(tensors: Record<string, RawTensor>, root = ''): Promise<NetworkTensors> {
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, buildSafetensors(tensors));
  return new NetworkTensors(await Checkpoint.open(device, path), root, NAMES);
}

describe('NetworkTensors', () => {
  it('finds the network behind a prefix, below a root and under other names', async () => {
    expect((await open({ 'first.weight': one })).names()).toEqual(['first.weight']);
    expect((await open({ 'net.un.weight': one })).names()).toEqual(['first.weight']);
    const below = await open({ 'all.net.un.weight': one, 'all.net.un.bias': one }, 'all.');
    expect(below.names()).toEqual(['first.weight', 'first.bias']);
    expect(below.entryOf('first.bias').name).toBe('all.net.un.bias');
  });

  it('names tensors as the file does in its errors', async () => {
    const tensors = await open({ 'net.un.weight': one });
    expect(() => tensors.take('first.weight', [2])).toThrow('tensor net.un.weight expected [2]');
    expect(() => tensors.take('first.bias', [2])).toThrow('tensor net.first.bias expected');
  });

  it('takes a pointwise convolution for the matrix it is', async () => {
    const values = [1, 2, 3, 4];
    const tensors = await open({ 'first.weight': f32([2, 2, 1, 1, 1], values) });
    expect([...(await tensors.take('first.weight', [2, 2]).readFloat32())]).toEqual(values);
    expect(() => tensors.take('first.weight', [2, 3])).toThrow('expected [2, 3]');
  });

  it('refuses a file without the network, and one with two', async () => {
    await expect(open({ other: one })).rejects.toThrow(
      'the toy expected tensor first.weight, or that behind net., got none among 1: other',
    );
    await expect(open({ 'first.weight': one, 'net.first.weight': one })).rejects.toThrow(
      'the toy expected once, got it below "net." and ""',
    );
    await expect(open({ 'first.weight': one, 'un.weight': one })).rejects.toThrow(
      'tensor first.weight expected once, got first.weight and un.weight',
    );
  });
});

describe('leftOver', () => {
  const stored = { 'first.weight': one, ids: one, scaled_fp8: one, 'head.weight': one };

  it('lists parts that nobody knows, and forgets what is left on purpose', async () => {
    const tensors = await open({ ...stored, 'second.weight': one, 'second.scale_weight': one });
    tensors.take('first.weight', [1]).dispose();
    tensors.leave('second');
    expect(tensors.leftOver()).toEqual(['head.weight']);
  });

  it('keeps account for every loader on its own', async () => {
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, buildSafetensors(stored));
    const checkpoint = await Checkpoint.open(device, path);
    const first = new NetworkTensors(checkpoint, '', NAMES);
    first.leave('head');
    expect(new NetworkTensors(checkpoint, '', NAMES).leftOver()).toContain('head.weight');
  });

  it('refuses tensors in a part that was read', async () => {
    const tensors = await open({ ...stored, 'first.9.weight': one });
    tensors.take('first.weight', [1]).dispose();
    expect(() => tensors.leftOver()).toThrow(
      'the toy expected no tensors besides those its config.json asks for, got first.9.weight',
    );
  });

  it('refuses scales that nobody has read, also outside the prefix', async () => {
    const inside = await open({ ...stored, 'head.weight_scale_inv': one });
    expect(() => inside.leftOver()).toThrow('scale head.weight_scale_inv expected to be read');
    const outside = await open({ 'net.first.weight': one, 'scales.first': one });
    outside.take('first.weight', [1]).dispose();
    expect(outside.leftOver()).toEqual([]);
    const orphan = await open({ 'net.first.weight': one, 'first.scale_weight': one });
    expect(() => orphan.leftOver()).toThrow('scale first.scale_weight expected to be read');
  });

  it('leaves the scales of other networks in the file alone', async () => {
    const shared = { 'net.first.weight': one, 'vae.a.weight': one, 'vae.a.scale_weight': one };
    expect((await open(shared)).leftOver()).toEqual(['net.first.weight']);
  });
});
