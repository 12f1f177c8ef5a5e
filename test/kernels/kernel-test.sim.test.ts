import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { buildFakeDriver } from '../tensor/cuda/fake-driver.ts';
import { VIRTUAL_DRIVER } from '../tiers.ts';

const PROGRAM = fileURLToPath(new URL('../../build/cuda/kernel_test', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'framepack-kernel-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function kernelTest(driver: string, module: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    PROGRAM,
    [`--driver=${driver}`, `--module=${module}`, 'copy'],
    { encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

describe('kernel_test is skipped only where there is nothing to test', () => {
  const damaged = join(folder, 'damaged.fatbin');
  writeFileSync(damaged, 'no module');

  test('without a driver library', () => {
    const { status, output } = kernelTest(join(folder, 'nothing.so'), damaged);
    expect({ status, output }).toEqual({ status: 77, output: expect.stringMatching(/^skipped: /) });
  });

  test.each([
    ['a module that does not load', damaged],
    ['a module that is not there', join(folder, 'nothing.fatbin')],
  ])('%s is a failure', (_, module) => {
    expect(kernelTest(VIRTUAL_DRIVER, module)).toEqual({
      status: 1,
      output: expect.stringMatching(/^kernel_test: /m),
    });
  });

  test.each([
    ['no device skips', 100, 77],
    ['a device that does not start is a failure', 999, 1],
  ])('%s', (_, init, status) => {
    const driver = kernelTestDriver(init);
    expect(kernelTest(driver, damaged)).toMatchObject({ status });
  });
});

/** A driver that also has the functions which only kernel_test calls. */
function kernelTestDriver(init: number): string {
  const claims = { version: 13_000, gpus: 1, major: 8, init };
  return buildFakeDriver(folder, claims, [
    'cuCtxSetCurrent',
    'cuCtxSynchronize',
    'cuMemcpyHtoD_v2',
    'cuMemcpyDtoH_v2',
  ]);
}
