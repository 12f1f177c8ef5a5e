// Builds the addon of an installed package, and the CUDA kernels where nvcc is: needs CMake and a C++20 compiler, and
// nothing that only a clone has. `framepack build` runs it.
//
//   node native/build.mjs [--no-cuda] [--quiet]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const addonApi = dirname(require.resolve('node-addon-api/package.json'));
const headers = require('node-api-headers').include_dir;

const isQuiet = process.argv.includes('--quiet');

const settings = {
  CMAKE_BUILD_TYPE: 'Release',
  FRAMEPACK_SIM: 'OFF',
  FRAMEPACK_TESTS: 'OFF',
  ...(process.argv.includes('--no-cuda') && { FRAMEPACK_KERNELS: 'OFF' }),
  FRAMEPACK_KERNEL_DIR: join(ROOT, 'build', 'kernels'),
  CMAKE_LIBRARY_OUTPUT_DIRECTORY: join(ROOT, 'build', 'Release'),
  CMAKE_JS_INC: [headers, addonApi].join(';'),
};
const folder = join(ROOT, 'build', 'package');
cmake(
  '-S',
  ROOT,
  '-B',
  folder,
  ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
);
cmake('--build', folder, '--parallel', String(availableParallelism()));
for (const file of ['build/Release/framepack.node', 'build/kernels/framepack.fatbin']) {
  const isThere = existsSync(join(ROOT, file));
  console.log(`${isThere ? 'built  ' : 'missing'} ${join(ROOT, file)}`);
}

function cmake(...args) {
  const stdio = isQuiet ? 'pipe' : 'inherit';
  const { status, error, stdout, stderr } = spawnSync('cmake', args, { stdio });
  // What a quiet build did not say is what explains its failure.
  if (isQuiet && status !== 0) process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  if (error) fail(`cmake cannot be started (${error.code}); install CMake 3.20 or newer`);
  if (status !== 0)
    fail(`cmake ${args[0]} ended with ${status}; a C++20 compiler and make are needed`);
}

function fail(message) {
  console.error(`build: ${message}`);
  process.exit(1);
}
