import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  choiceOf,
  type DeviceChoice,
  openChosenDevice,
} from '../../../src/pipeline/inputs/device-choice.ts';
import { buildFakeDriver } from '../../tensor/cuda/fake-driver.ts';

const CURRENT = { version: 13_000, gpus: 1, major: 8 };
const ONE_THREAD = { threads: 1 };

const folder = mkdtempSync(join(tmpdir(), 'framepack-choice-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('openChosenDevice without a GPU', () => {
  it('takes the CPU for auto, and says why', async () => {
    const { device, facts } = openChosenDevice('auto', ONE_THREAD);
    await using _ = device;
    expect(facts).toEqual({
      ...{ kind: 'cpu', ordinal: null, name: device.describe().name },
      whyNoGpu: expect.stringMatching(/^driver expected the library .*, got /),
    });
    expect([device.kind, device.describe().threads]).toEqual(['cpu', 1]);
  });

  it('says nothing of GPUs to who chose the CPU', async () => {
    const { device, facts } = openChosenDevice('cpu', ONE_THREAD);
    await using _ = device;
    expect(facts).toEqual({ kind: 'cpu', ordinal: null, name: device.describe().name });
  });

  it.each<DeviceChoice>(['cuda', 'cuda:1', 2])('refuses %s', (choice) => {
    expect(() => openChosenDevice(choice, {})).toThrow(
      expect.objectContaining({ code: 'ERR_CUDA_DRIVER' }),
    );
  });

  it.each([
    ['an old driver', { version: 12_090 }, /^driver expected R580 or newer/],
    ['no GPU', { gpus: 0 }, /^driver expected a GPU, got none/],
    ['an old GPU', { major: 7 }, /^GPU expected sm_80 or newer/],
    ['a GPU in use', { retain: 46 }, /^GPU expected a usable context.*another process/],
  ])('auto takes the CPU for %s', async (_, change, reason) => {
    vi.stubEnv('FRAMEPACK_CUDA_DRIVER', buildFakeDriver(folder, { ...CURRENT, ...change }));
    const { device, facts } = openChosenDevice('auto', ONE_THREAD);
    await device.close();
    expect(facts).toMatchObject({ kind: 'cpu', whyNoGpu: expect.stringMatching(reason) });
  });
});

describe('openChosenDevice with a GPU that fails', () => {
  it.each([
    ['was lost', 700, 'ERR_DEVICE_LOST'],
    ['is full', 2, 'ERR_OUT_OF_MEMORY'],
  ])('auto does not hide that it %s', (_, retain, code) => {
    vi.stubEnv('FRAMEPACK_CUDA_DRIVER', buildFakeDriver(folder, { ...CURRENT, retain }));
    expect(() => openChosenDevice('auto', ONE_THREAD)).toThrow(expect.objectContaining({ code }));
  });

  it('names the ordinals that there are', () => {
    vi.stubEnv('FRAMEPACK_CUDA_DRIVER', buildFakeDriver(folder, { ...CURRENT, gpus: 2 }));
    for (const choice of ['cuda:2', 2] as const) {
      expect(() => openChosenDevice(choice, {})).toThrow(
        expect.objectContaining({
          code: 'ERR_ARGUMENT',
          message: 'Device.open: ordinal expected less than 2, got 2',
        }),
      );
    }
  });
});

describe('choiceOf', () => {
  it.each([
    ['cpu', null, 'cpu'],
    ['cuda', 0, 'cuda'],
    ['cuda', 3, 'cuda:3'],
  ] as const)('%s %j is opened again by %s', (kind, ordinal, choice) => {
    expect(choiceOf({ kind, ordinal, name: '', whyNoGpu: 'any' })).toBe(choice);
  });
});
