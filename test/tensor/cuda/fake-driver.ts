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
  /** Results of cuInit and of cuDevicePrimaryCtxRetain; 0 is success. */
  readonly init?: number;
  readonly retain?: number;
}

/**
 * Compiles a library with every function that the device asks a driver for, and `more`. It gets as far as loading
 * kernels.
 *
 * @returns its path, inside `folder`.
 */
export function buildFakeDriver(
  folder: string,
  claims: FakeDriver,
  more: readonly string[] = [],
): string {
  const { version, gpus, major, init = 0, retain = 0 } = claims;
  const source = new URL('../../../native/cuda/driver.cc', import.meta.url);
  const found = [...readFileSync(source, 'utf8').matchAll(/library\.find\("(\w+)"/g)];
  const symbols = [...found.map(([, name]) => name!), ...more];
  const bodies: Record<string, string> = {
    cuInit: `(unsigned flags) { return ${init}; }`,
    cuDevicePrimaryCtxRetain: `(void** context, int device) { return ${retain}; }`,
    cuDriverGetVersion: `(int* version) { *version = ${version}; return 0; }`,
    cuDeviceGetCount: `(int* count) { *count = ${gpus}; return 0; }`,
    cuDeviceGetAttribute: `(int* value, int which) { *value = which == 75 ? ${major} : 0; return 0; }`,
  };
  const code = symbols.map((name) => `int ${name}${bodies[name] ?? '() { return 0; }'}\n`);
  const stem = join(folder, `driver-${version}-${gpus}-${major}-${init}-${retain}-${more.length}`);
  writeFileSync(`${stem}.c`, code.join(''));
  execFileSync('cc', ['-shared', '-fPIC', '-o', `${stem}.so`, `${stem}.c`]);
  return `${stem}.so`;
}
