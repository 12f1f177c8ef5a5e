// Brings a checkout into a runnable state: installed packages, a built addon, compiled TypeScript. Each step
// does nothing when its result is up to date. `npm run demo` and `npm test` call it first, so it may use
// nothing but Node itself.
//
//   node native/bootstrap.mjs [--force] [install] [native] [types] [cuda] [kernels]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ADDON = 'build/Release/framepack.node';
const JOBS = String(availableParallelism());

const STEPS = {
  install: () => step('install', isInstalled(), npmCi),
  native: () => stampedStep('build native', ADDON, nativeInputs(), buildNative),
  types: () => stampedStep('build types', 'dist/index.js', typesInputs(), buildTypes),
  /** Whatever CMake can build here without Node: tests, virtual driver and, where nvcc is, kernels. */
  kernels: () => step('build kernels', false, () => buildWithCMake()),
  /** The same, but a missing nvcc is an error. */
  cuda: () => step('build cuda', false, () => buildWithCMake('-DFRAMEPACK_KERNELS=ON')),
};
const DEFAULT_STEPS = ['install', 'native', 'types'];

const words = process.argv.slice(2);
const isForced = words.includes('--force');
const names = words.filter((word) => word !== '--force');
for (const name of names.length > 0 ? names : DEFAULT_STEPS) {
  if (!Object.hasOwn(STEPS, name)) fail(`unknown step ${name}; steps: ${Object.keys(STEPS)}`);
  STEPS[name]();
}

function step(title, isFresh, work) {
  if (isFresh) return;
  process.stdout.write(`${title} ... `);
  const start = performance.now();
  work();
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

/** A step whose inputs are hashed; the hash of the last success lies under build/. */
function stampedStep(title, output, inputs, work) {
  const stamp = path(`build/${title.replace(' ', '-')}.stamp`);
  const hash = hashFiles(inputs);
  const isFresh = existsSync(path(output)) && existsSync(stamp) && readText(stamp) === hash;
  step(title, isFresh && !isForced, () => {
    work();
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, hash);
  });
}

/** True when node_modules holds every locked package in its locked version. */
function isInstalled() {
  const hidden = path('node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  const present = JSON.parse(readText(hidden)).packages;
  const locked = JSON.parse(readText(path('package-lock.json'))).packages;
  return Object.entries(locked).every(
    ([name, { version, optional }]) =>
      name === '' || (present[name] ? present[name].version === version : optional),
  );
}

function npmCi() {
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
  if (npm?.endsWith('.js')) mustRun(process.execPath, [npm, ...args]);
  else mustRun('npm', args);
}

function buildNative() {
  const cmakeJs = run(process.execPath, [
    path('node_modules/cmake-js/bin/cmake-js'),
    'compile',
    '--out',
    'build/cmake',
    '--parallel',
    JOBS,
    `--CDCMAKE_LIBRARY_OUTPUT_DIRECTORY=${path('build/Release')}`,
  ]);
  if (cmakeJs.ok) return;
  const nodeGyp = run(process.execPath, [
    path('node_modules/node-gyp/bin/node-gyp.js'),
    'configure',
    'build',
    ...nodeHeaders(),
    '--jobs',
    JOBS,
  ]);
  if (!nodeGyp.ok) fail(`cmake-js:\n${cmakeJs.output}\nnode-gyp:\n${nodeGyp.output}`);
}

/** Node's own headers, where they lie beside it; otherwise node-gyp downloads them. */
function nodeHeaders() {
  const prefix = resolve(dirname(process.execPath), '..');
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

function buildTypes() {
  mustRun(process.execPath, [path('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
}

function buildWithCMake(...options) {
  const folder = 'build/cuda';
  const settings = ['-DFRAMEPACK_ADDON=OFF', '-DFRAMEPACK_WERROR=ON', ...options];
  const kernels = `-DFRAMEPACK_KERNEL_DIR=${path('build/kernels')}`;
  mustRun('cmake', ['-S', '.', '-B', folder, kernels, ...settings]);
  mustRun('cmake', ['--build', folder, '--parallel', JOBS]);
}

function nativeInputs() {
  const isSource = (file) => /\.(h|cc|gypi)$/.test(file) && !file.startsWith('native/sim/');
  return ['CMakeLists.txt', 'binding.gyp', ...filesUnder('native', 'kernels').filter(isSource)];
}

function typesInputs() {
  return ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...filesUnder('src')];
}

function filesUnder(...folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(path(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  );
  return files.sort();
}

function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(path(file)));
  return hash.digest('hex');
}

function mustRun(command, args) {
  const { ok, output } = run(command, args);
  if (!ok) fail(output);
}

/** Runs in the root; output is shown only when the step fails. */
function run(command, args) {
  const child = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
  const output = child.error ? `${command}: ${child.error.message}` : child.stdout + child.stderr;
  return { ok: child.status === 0, output };
}

function fail(message) {
  process.stdout.write('failed\n');
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function path(relative) {
  return join(ROOT, relative);
}

function readText(file) {
  return readFileSync(file, 'utf8');
}
