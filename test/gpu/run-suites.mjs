// Runs the GPU tier of the tests from a bundle, without vitest and node_modules:
//
//   node suites.mjs <suite> ...
//
// Prints a line for every failure, and at the end `N passed, N failed, N skipped`.
import { startTests } from './stand-ins/vitest.mjs';

const SUITES = {
  device: () => import('../tensor/cuda/device.gpu.test.ts'),
  conformance: () => import('../ops/cuda/conformance.gpu.test.ts'),
  generate: () => import('../pipeline/cuda/generate.gpu.test.ts'),
};
const CONFIG = {
  ...{ root: process.cwd(), name: 'gpu', setupFiles: [], passWithNoTests: false, allowOnly: false },
  sequence: { hooks: 'stack', setupFiles: 'parallel', concurrent: false, shuffle: false, seed: 1 },
  ...{ maxConcurrency: 1, testTimeout: 300_000, hookTimeout: 300_000, retry: 0, chaiConfig: {} },
  ...{ tags: [], includeTaskLocation: false, strictTags: false },
};

const wanted = process.argv.slice(2);
const count = { passed: 0, failed: 0, skipped: 0 };
const files = await startTests(wanted.length > 0 ? wanted : Object.keys(SUITES), {
  config: CONFIG,
  importFile: (file) => SUITES[file.split('/').at(-1)](),
  onAfterRunTask: (task) => {
    const { state, errors } = task.result ?? {};
    if (state === 'pass') count.passed++;
    else if (state === 'fail') fail(fullName(task), errors);
    else count.skipped++;
  },
});
for (const { name, result } of files) {
  if (result?.state === 'fail' && result.errors?.length > 0) fail(name, result.errors);
}
process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1;

function fail(name, errors) {
  count.failed++;
  const [reason = ''] = (errors?.[0]?.message ?? '').split('\n');
  process.stdout.write(`FAIL ${name}: ${reason}\n`);
}

function fullName(task) {
  const names = [];
  for (let step = task; step; step = step.suite) names.unshift(step.name);
  return names.filter(Boolean).join(' > ');
}
