import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { FramePackError } from '../../../src/errors.ts';
import { examineMachine } from '../../../src/pipeline/inspection/doctor.ts';
import type { NativeModule } from '../../../src/tensor/native-types.ts';
import { hasDriverLibrary } from '../../tiers.ts';
import { buildFakeDriver } from './fake-driver.ts';

const ADDON = fileURLToPath(new URL('../../../build/Release/framepack.node', import.meta.url));
const CURRENT = { version: 13_000, gpus: 1, major: 8 };

const folder = mkdtempSync(join(tmpdir(), 'framepack-driver-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Whether NVIDIA's driver lies where the loader looks; this tier runs without. */
function hasSystemDriver(): boolean {
  vi.stubEnv('FRAMEPACK_CUDA_DRIVER', '');
  try {
    return hasDriverLibrary();
  } finally {
    vi.unstubAllEnvs();
  }
}

/** What `framepack doctor` says about CUDA with a library as driver. */
async function diagnosis(library: string): Promise<{ detail: string; advice: string | undefined }> {
  vi.stubEnv('FRAMEPACK_CUDA_DRIVER', library);
  const findings = await examineMachine();
  const { status, detail, advice } = findings.find(({ subject }) => subject === 'cuda')!;
  expect(status).toBe('missing');
  return { detail, advice };
}

describe('framepack doctor says why there is no CUDA device', { timeout: 60_000 }, () => {
  const advice = expect.stringMatching(/driver \(R580 or newer\).*FRAMEPACK_CUDA_DRIVER.*CPU/);

  test.skipIf(hasSystemDriver())('no driver', async () => {
    expect(await diagnosis('')).toEqual({
      detail: expect.stringMatching(
        /^Device\.open: driver expected the library libcuda\.so\.1, got libcuda\.so\.1: .*No such file/,
      ),
      advice,
    });
  });

  test('a library that is not there', async () => {
    const library = join(folder, 'nothing.so');
    expect(await diagnosis(library)).toEqual({
      detail: expect.stringContaining(`driver expected the library ${library}, got`),
      advice,
    });
  });

  test('a library that is no driver', async () => {
    expect(await diagnosis('libm.so.6')).toEqual({
      detail:
        'Device.open: driver expected a CUDA driver with cuInit, got libm.so.6 without it' +
        '; FRAMEPACK_CUDA_DRIVER is "libm.so.6"',
      advice,
    });
  });

  test.each([
    [
      'an old driver',
      { version: 12_090 },
      'driver expected R580 or newer (CUDA 13.0), got one for CUDA 12.9',
    ],
    ['no GPU', { gpus: 0 }, 'driver expected a GPU, got none'],
    ['an old GPU', { major: 7 }, 'GPU expected sm_80 or newer, got  with sm_70'],
  ])('%s', async (_, change, detail) => {
    const library = buildFakeDriver(folder, { ...CURRENT, ...change });
    const named = `Device.open: ${detail}; FRAMEPACK_CUDA_DRIVER is "${library}"`;
    expect(await diagnosis(library)).toEqual({ detail: named, advice });
  });

  test.each([
    [999, /^Device\.open: driver expected to start, got CUDA error 999; load nvidia-uvm .*suspend/],
    [46, /^Device\.open: driver expected to start, got CUDA error 46; another process/],
    [4, /^Device\.open: driver expected to start, got CUDA error 4; the driver is shutting down/],
    [304, /^Device\.open: driver expected to start, got CUDA error 304; .*\/dev\/nvidia/],
    [1, /^Device\.open: driver expected to start, got CUDA error 1; FRAMEPACK_CUDA_DRIVER is/],
  ])('cuInit that fails with %i', async (init, detail) => {
    const library = buildFakeDriver(folder, { ...CURRENT, init });
    expect(await diagnosis(library)).toEqual({ detail: expect.stringMatching(detail), advice });
  });

  test('a GPU that another process holds', async () => {
    const library = buildFakeDriver(folder, { ...CURRENT, retain: 46 });
    const detail = expect.stringMatching(/^Device\.open: GPU expected a usable context.*another/);
    expect(await diagnosis(library)).toEqual({ detail, advice });
  });

  test('a context that a kernel has ruined is no fault of the driver', async () => {
    const library = buildFakeDriver(folder, { ...CURRENT, retain: 700 });
    expect(await diagnosis(library)).toEqual({
      detail: expect.stringMatching(/an earlier fault has ruined it for this process$/),
      advice: 'see the message; the CPU device works without',
    });
  });
});

test('an addon without kernels beside it says how to build them', () => {
  const copy = join(folder, 'framepack.node');
  cpSync(ADDON, copy);
  const addon = createRequire(import.meta.url)(copy) as NativeModule;
  addon.initialize(FramePackError);
  const options = {
    threads: undefined,
    isa: undefined,
    budgetBytes: undefined,
    ordinal: undefined,
    driver: buildFakeDriver(folder, CURRENT),
    isSynchronous: false,
  };
  expect(() => addon.openDevice('cuda', options)).toThrow(
    expect.objectContaining({
      code: 'ERR_NATIVE_LOAD',
      message: expect.stringMatching(
        /^Device\.open: kernels expected framepack\.fatbin in .*, got none; run "npm run build:cuda"/,
      ),
    }),
  );
});
