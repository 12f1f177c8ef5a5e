// One trial: compile a set of kernel sources and run the kernel tests on the virtual driver.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toleranceLines } from './mutants.mjs';

const SCHEDULES = ['ascending', 'random:1'];
const TIMEOUT_MS = 180_000;
/** Warp instructions of one block: the longest case takes far less, a block that hangs takes all. */
const STEP_LIMIT = 2 ** 26;
const NVCC_FLAGS = [
  ...['-fatbin', '-gencode', 'arch=compute_80,code=compute_80', '--no-compress'],
  ...['-std=c++20', '-O3', '-lineinfo', '-w'],
];

/** The compiler as CMake finds it, or undefined. */
export function findNvcc() {
  const { CUDA_HOME } = process.env;
  const places = CUDA_HOME ? [join(CUDA_HOME, 'bin/nvcc'), 'nvcc'] : ['nvcc'];
  return places.find((nvcc) => spawnSync(nvcc, ['--version']).status === 0);
}

/** -> { outcome, evidence, seconds }; outcome is 'neutral' when nothing was noticed. */
export async function runTrial(trial, { nvcc, folder, build }) {
  const start = performance.now();
  const place = mkdtempSync(join(folder, 'trial-'));
  const module = await compile(trial, nvcc, place);
  const cases = join(place, 'cases.json');
  writeFileSync(cases, JSON.stringify([...toleranceLines(trial.family), ...trial.cases]));
  const verdict = trial.isProfile
    ? await profile(trial, build, module)
    : await test(trial, build, module, cases);
  rmSync(place, { recursive: true });
  return { ...verdict, seconds: (performance.now() - start) / 1000 };
}

async function compile({ id, source, sources }, nvcc, place) {
  for (const [name, text] of sources) {
    mkdirSync(join(place, 'kernels', dirname(name)), { recursive: true });
    writeFileSync(join(place, 'kernels', name), text);
  }
  const module = join(place, 'mutant.fatbin');
  const args = [...NVCC_FLAGS, '-I', place, '-o', module, join(place, 'kernels', source)];
  const { status, output } = await run(nvcc, args);
  if (status !== 0) throw new Error(`${id} does not compile\n${output}`);
  return module;
}

/** In one order of warps after the other, until something is noticed. */
async function test({ family }, build, module, cases) {
  const driver = `--driver=${join(build, 'libcuda_sim.so')}`;
  const args = [driver, `--module=${module}`, `--cases=${cases}`, family];
  for (const schedule of SCHEDULES) {
    const env = {
      CUDA_SIM_CHECK: '1',
      CUDA_SIM_THREADS: '1',
      CUDA_SIM_STEP_LIMIT: String(STEP_LIMIT),
      CUDA_SIM_SCHEDULE: schedule,
    };
    const verdict = judge(await run(join(build, 'kernel_test'), args, env));
    if (verdict.outcome !== 'neutral') return verdict;
  }
  return { outcome: 'neutral', evidence: '' };
}

function judge({ status, output }) {
  const finding = /^cuda_sim: .*/m.exec(output);
  const isRefused = /^skipped: cuModuleLoadData.*/m.exec(output);
  if (finding || isRefused) return { outcome: 'diagnosed', evidence: (finding ?? isRefused)[0] };
  if (status === 0) return { outcome: 'neutral', evidence: '' };
  const failure = status === 'SIGTERM' ? 'does not end' : /^FAIL .*/m.exec(output)?.[0];
  if (failure) return { outcome: 'wrong result', evidence: failure };
  throw new Error(`kernel_test ended with ${status}\n${output}`);
}

/** Against the memory ratios of the tile-exact sizes, which say what values cannot. */
async function profile({ family }, build, module) {
  const script = join(import.meta.dirname, '../../profile.mjs');
  const programs = [join(build, 'kernel_test'), join(build, 'libcuda_sim.so')];
  const { status, output } = await run(process.execPath, [script, ...programs, module, family]);
  if (status === 0) return { outcome: 'neutral', evidence: '' };
  const ratio = /^.* has ratio .*/m.exec(output)?.[0];
  if (!ratio) throw new Error(`profile.mjs ended with ${status}\n${output}`);
  return { outcome: 'memory ratio', evidence: ratio };
}

function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status: status ?? signal, output }));
  });
}
