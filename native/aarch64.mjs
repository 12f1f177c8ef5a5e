// `npm run test:aarch64`: cross-compiles the C++ tests for aarch64 and runs them under QEMU's user-mode emulation.
// It needs Debian's g++-aarch64-linux-gnu and qemu-user, and skips without them.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const BUILD = 'build/aarch64';
const SYSROOT = '/usr/aarch64-linux-gnu';

// Programs on the path whose whole names match, e.g. aarch64-linux-gnu-g++-12; the plain name first.
function findProgram(pattern) {
  const names = (process.env.PATH ?? '').split(':').flatMap((folder) => {
    try {
      return readdirSync(folder).filter((name) => pattern.test(name));
    } catch {
      return [];
    }
  });
  return names.toSorted((a, b) => a.length - b.length)[0];
}

const compiler = findProgram(/^aarch64-linux-gnu-g\+\+(-\d+)?$/);
const emulator = findProgram(/^qemu-aarch64(-static)?$/);
if (compiler === undefined || emulator === undefined) {
  const missing = compiler === undefined ? 'aarch64-linux-gnu-g++' : 'qemu-aarch64';
  process.stdout.write(`skipped: this machine has no ${missing}\n0 passed, 0 failed, 1 skipped\n`);
} else {
  const definitions = {
    CMAKE_SYSTEM_NAME: 'Linux',
    CMAKE_SYSTEM_PROCESSOR: 'aarch64',
    CMAKE_CXX_COMPILER: compiler,
    CMAKE_CROSSCOMPILING_EMULATOR: `${emulator};-L;${SYSROOT}`,
    FRAMEPACK_ADDON: 'OFF',
    FRAMEPACK_KERNELS: 'OFF',
    FRAMEPACK_SIM: 'OFF',
    FRAMEPACK_TESTS: 'ON',
    FRAMEPACK_WERROR: 'ON',
  };
  const flags = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  execFileSync('cmake', ['-S', '.', '-B', BUILD, ...flags], { stdio: 'inherit' });
  execFileSync('cmake', ['--build', BUILD, '--parallel', '2'], { stdio: 'inherit' });
  const { status } = spawnSync('node', [join('native', 'ctest.mjs'), BUILD], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
