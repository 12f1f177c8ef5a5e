import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a fake CUDA driver claims. */
export interface FakeDriver {
  /** Thousand times the major version of CUDA, and ten times the minor. */
  readonly version: number;
  readonly gpus: number;
  /** Compute capability. */
  readonly major: number;
}

/**
 * Compiles a library with every function that the device asks a driver for. It gets as far as loading
 * kernels.
 *
 * @returns its path, inside `folder`.
 */
export function buildFakeDriver(folder: string, { version, gpus, major }: FakeDriver): string {
  const source = new URL('../../../native/cuda/driver.cc', import.meta.url);
  const symbols = [...readFileSync(source, 'utf8').matchAll(/library\.find\("(\w+)"/g)];
  const bodies: Record<string, string> = {
    cuDriverGetVersion: `(int* version) { *version = ${version}; return 0; }`,
    cuDeviceGetCount: `(int* count) { *count = ${gpus}; return 0; }`,
    cuDeviceGetAttribute: `(int* value, int which) { *value = which == 75 ? ${major} : 0; return 0; }`,
  };
  const code = symbols.map(([, name]) => `int ${name}${bodies[name!] ?? '() { return 0; }'}\n`);
  const stem = join(folder, `driver-${version}-${gpus}-${major}`);
  writeFileSync(`${stem}.c`, code.join(''));
  execFileSync('cc', ['-shared', '-fPIC', '-o', `${stem}.so`, `${stem}.c`]);
  return `${stem}.so`;
}
