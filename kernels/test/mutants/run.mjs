// Do the kernel tests notice bugs? Puts one bug at a time into a copy of the kernels and runs a few cases of
// kernels/<op>/cases.json on the virtual driver with all checks. A bug is caught when the driver reports
// something, a case fails, or the module does not load; each must be noticed at least as well as its
// `expect` says. Needs nvcc and build/cuda (`npm run test:mutants` makes it).
//
//   node kernels/test/mutants/run.mjs [--only F01,G07] [--json] [--build build/cuda]
//
// The bugs are data: the *.json beside this file, described in kernels/README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { planTrials, readMutants } from './mutants.mjs';
import { findNvcc, runTrial } from './trial.mjs';

const JOBS = 2;
/** From unnoticed to named with its source line. */
const STRENGTH = ['neutral', 'wrong result', 'memory ratio', 'diagnosed'];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    build: { type: 'string', default: join(import.meta.dirname, '../../../build/cuda') },
  },
});

const log = (line) => options.json || process.stdout.write(`${line}\n`);

async function main() {
  const nvcc = findNvcc();
  if (!nvcc) {
    process.stdout.write('skipped: the mutants are compiled with nvcc, which is not on the PATH\n');
    return;
  }
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const mutants = readMutants(options.only?.split(','));
  const folder = mkdtempSync(join(tmpdir(), 'framepack-mutants-'));
  try {
    const context = { nvcc, folder, build: resolve(options.build) };
    const { originals, trials } = planTrials(mutants);
    await requireSoundOriginals(originals, context);
    report(mutants, await runAll(trials, context, logTrial));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A case that fails without any bug would catch every mutant. */
async function requireSoundOriginals(originals, context) {
  for (const { outcome, evidence, trial } of await runAll(originals, context, () => {})) {
    if (outcome !== 'neutral')
      throw new Error(`${trial.id} without a bug: ${outcome}: ${evidence}`);
  }
  log(`${originals.length} kernel files without a bug: every case passes, no findings`);
}

/** Runs the trials, JOBS at a time; results are in the order of the trials. */
async function runAll(trials, context, onDone) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < trials.length) {
      const at = next++;
      results[at] = { trial: trials[at], ...(await runTrial(trials[at], context)) };
      onDone(results[at]);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  return results;
}

function logTrial({ trial, outcome, evidence, seconds }) {
  log(`${trial.id}  ${outcome.padEnd(12)}  ${seconds.toFixed(1).padStart(5)} s  ${trial.bug}`);
  if (evidence) log(`     ${evidence}`);
}

function report(mutants, results) {
  const isWeaker = ({ trial, outcome }) =>
    STRENGTH.indexOf(outcome) < STRENGTH.indexOf(trial.expect);
  const weaker = results.filter(isWeaker);
  const caught = results.filter(({ outcome }) => outcome !== 'neutral').length;
  if (options.json) {
    const rows = results.map(({ trial, ...result }) => ({
      id: trial.id,
      file: trial.file,
      bug: trial.bug,
      expect: trial.expect,
      ...result,
    }));
    process.stdout.write(`${JSON.stringify({ caught, total: rows.length, rows }, null, 2)}\n`);
  }
  for (const { trial, outcome } of weaker) {
    process.stderr.write(`${trial.id}: expected ${trial.expect}, got ${outcome}: ${trial.bug}\n`);
  }
  log(`caught ${caught} of ${mutants.length}`);
  if (weaker.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  process.stderr.write(`mutants: ${error.message}\n`);
  process.exitCode = 1;
});
