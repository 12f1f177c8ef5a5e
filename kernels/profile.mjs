// Memory ratios of the kernels on tile-exact sizes, from the profile of the virtual driver: sectors of
// global memory moved per sector needed, and wavefronts of shared memory per wavefront needed (above 1 is a
// bank conflict). Every access must be ideal or be listed below with its reason.
//
//   node kernels/profile.mjs <kernel_test> <libcuda_sim.so> <framepack.fatbin> [family ...]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Kernel, opcode, largest ratio, reason. */
const exceptions = [
  [/^matmul_.*_skinny$/, /^st\.global/, 2, 'a block stores 8 columns, 16 bytes of each row'],
  [
    /^matmul_.*f8_skinny$/,
    /^ld\.global/,
    2,
    'rows of a, in 16-byte pieces 32 bytes apart; cached, 1 of 4 KB is new',
  ],
  [
    /_gather_64x64$/,
    /^ld\.global\.u16/,
    9,
    'rows of 3 channels: every element has its own address',
  ],
  [/^patchify_/, /^ld\.global/, 8, 'patches are 2 columns wide, rows of w are 128 bytes'],
  [
    /^unpatchify_/,
    /^ld\.global/,
    8,
    'a token holds 2 columns of a line; the rest of the sector serves other lines',
  ],
  [
    /^dequantize_q\d_/,
    /^ld\.global/,
    6,
    'a warp reads a few hundred bytes in a row in pieces of 2, the alignment of a block; the rest of a sector comes from L1',
  ],
  [/^fill_any$/, /^st\.global/, 1.5, 'runs only where the tensor begins between two sectors'],
  [
    /^group_norm_statistics_/,
    /^ld\.global\.(u16|f32)$/,
    4,
    'the first element of every group, once per block of thousands of elements',
  ],
  [
    /^group_norm_statistics_/,
    /^st\.global/,
    2,
    'one partial sum per group and block; what the merge reads lies side by side instead',
  ],
];

const [program, driver, module, ...families] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'framepack-profile-'));
const file = join(folder, 'profile.json');
const cases = join(import.meta.dirname, 'test/hot/%.json');
const { status, stdout } = spawnSync(
  program,
  [`--driver=${driver}`, `--module=${module}`, `--cases=${cases}`, ...families],
  { encoding: 'utf8', env: { CUDA_SIM_PROFILE: file, CUDA_SIM_CHECK: '0' } },
);
if (status !== 0) throw new Error(`kernel_test failed\n${stdout}`);
const { kernels } = JSON.parse(readFileSync(file, 'utf8'));
rmSync(folder, { recursive: true });

let faults = 0;
for (const { name, lines, instructionsPerMma } of kernels) {
  let [sectors, wavefronts] = [0, 0];
  for (const line of lines) {
    const ratio = line.sectorsPerIdeal ?? line.wavefrontsPerIdeal ?? 0;
    const allowed = exceptions.find(
      ([kernel, opcode]) => kernel.test(name) && opcode.test(line.opcode),
    );
    if (ratio > (allowed?.[2] ?? 1)) {
      faults += 1;
      process.stderr.write(`${name}: ${line.opcode} has ratio ${ratio} at ${line.location}\n`);
    }
    if (allowed) continue;
    sectors = Math.max(sectors, line.sectorsPerIdeal ?? 0);
    wavefronts = Math.max(wavefronts, line.wavefrontsPerIdeal ?? 0);
  }
  const perMma = instructionsPerMma ? `${instructionsPerMma} instructions per mma` : '';
  const ratios = `sectors ${sectors.toFixed(2)}  wavefronts ${wavefronts.toFixed(2)}`;
  process.stdout.write(`${name.padEnd(30)} ${ratios}  ${perMma}\n`);
}
process.stdout.write(`${kernels.length} kernels, ${faults} accesses above their ratio\n`);
process.exitCode = faults === 0 ? 0 : 1;
