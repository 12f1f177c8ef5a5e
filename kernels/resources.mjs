// What every kernel costs a multiprocessor: registers, shared memory, resident blocks, and the length of
// its main loop. Needs nvcc and a C++ compiler, no GPU.
//
//   node kernels/resources.mjs            rewrites kernels/resources.json and the table of kernels/README.md
//   node kernels/resources.mjs --check    fails when one of them is out of date
//
// Spills, stack frames, f64 arithmetic, local memory and calls fail both. Registers come from `ptxas -v`,
// threads from the PTX, dynamic shared memory from the constants that the plan functions use.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const resultFile = join(import.meta.dirname, 'resources.json');
const nvcc = 'nvcc';
const flags = ['-std=c++20', '-O3', '-I', root];

/** Limits of one multiprocessor: CUDA programming guide, table of compute capabilities. */
const multiprocessors = {
  80: { sharedKiB: 164, warps: 64, blocks: 32 },
  86: { sharedKiB: 100, warps: 48, blocks: 16 },
  89: { sharedKiB: 100, warps: 48, blocks: 24 },
  90: { sharedKiB: 228, warps: 64, blocks: 32 },
  100: { sharedKiB: 228, warps: 64, blocks: 32 },
  120: { sharedKiB: 100, warps: 48, blocks: 24 },
};

/** Dynamic shared memory of the kernels that use it, as C++ expressions over the config headers. */
const sharedBytes = [
  [/^matmul_.*f8.*_128x256$/, 'kMatmulWide.shared_bytes(1)'],
  [/^matmul_.*_128x256$/, 'kMatmulWide.shared_bytes(2)'],
  [/^matmul_.*f8.*_128x128$/, 'kMatmulLargeF8.shared_bytes(1)'],
  [/^matmul_.*_128x128$/, 'kMatmulLarge.shared_bytes(2)'],
  [/^matmul_.*f8.*_64x64$/, 'kMatmulSmall.shared_bytes(1)'],
  [/^(matmul|conv3d|patchify)_f32_64x64$/, 'kGemmF32SharedBytes'],
  [/^matmul_.*_64x64$/, 'kMatmulSmall.shared_bytes(2)'],
  [/^matmul_.*_skinny$/, 'kSkinnySharedBytes'],
  [/^attention_.*_w512$/, 'kWideSharedBytes'],
  [/^attention_f32$/, 'kAttentionF32SharedBytes'],
  [/^attention_.*_w(\d+)_m(\d+)$/, 'AttentionTile{$1, $2}.shared_bytes()'],
  [/^conv3d_.*_128x128$/, 'kConvLarge.shared_bytes(2)'],
  [/^conv3d_.*_64x64$/, 'kConvSmall.shared_bytes(2)'],
  [/^conv3d_.*_128x16$/, 'kConvNarrow.shared_bytes(2)'],
  [/^patchify_.*_64x64$/, 'kPatchTile.shared_bytes(2)'],
];

function compile(args) {
  const { status, stdout, stderr, error } = spawnSync(nvcc, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`nvcc ${args.join(' ')}\n${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** The table of sines is f64 rounded once, because it is part of the model; it is built once per section. */
const f64Kernels = /^rope_table/;

/** What no kernel may do, found while compiling. */
const faults = [];

/** kernel -> architecture -> registers and static shared memory. As in CMakeLists.txt, one PTX text serves all. */
function compileSass(source, folder) {
  const table = new Map();
  const machines = Object.keys(multiprocessors).map((sm) => `sm_${sm}`);
  const target = ['-gencode', `arch=compute_80,code=[${machines}]`, '--threads', '2'];
  const output = ['-fatbin', '-Xptxas', '-v', '-o', join(folder, 'a.fatbin')];
  const log = compile([...flags, ...target, ...output, source]);
  const entry =
    /Compiling entry function '(\w+)' for 'sm_(\d+)'[\s\S]*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads[\s\S]*?Used (\d+) registers([^\n]*)/g;
  for (const [, kernel, sm, stack, stores, loads, registers, rest] of log.matchAll(entry)) {
    if (Number(stack) + Number(stores) + Number(loads) > 0) {
      faults.push(`${kernel} spills or uses local memory on sm_${sm}`);
    }
    const row = table.get(kernel) ?? {};
    const staticShared = Number(/(\d+) bytes smem/.exec(rest)?.[1] ?? 0);
    row[sm] = { registers: Number(registers), staticShared };
    table.set(kernel, row);
  }
  return table;
}

/** Instructions of the loop with the most mma, as executed without branches taken inside of it. */
function mainLoop(instructions) {
  let best;
  const labels = new Map(instructions.flatMap(({ label }, at) => (label ? [[label, at]] : [])));
  instructions.forEach(({ text }, at) => {
    const start = labels.get(/\bbra(?:\.uni)? +(\$\w+)/.exec(text ?? '')?.[1]);
    if (start === undefined || start > at) return;
    const body = instructions.slice(start, at + 1).filter(({ text: line }) => line);
    const mma = body.filter(({ text: line }) => line.startsWith('mma.')).length;
    const isBetter = !best || mma > best.mma || (mma === best.mma && body.length < best.length);
    if (mma > 0 && isBetter) best = { mma, length: body.length };
  });
  return best && { mma: best.mma, instructionsPerMma: Number((best.length / best.mma).toFixed(2)) };
}

/** kernel -> threads and main loop. */
function readPtx(source, folder) {
  const file = join(folder, 'a.ptx');
  compile([...flags, '-ptx', '-arch=compute_80', '-o', file, source]);
  const table = new Map();
  for (const [, kernel, head, body] of readFileSync(file, 'utf8').matchAll(
    /\.entry (\w+)\(([\s\S]*?)\n\{\n([\s\S]*?)\n\}\n/g,
  )) {
    const instructions = body.split('\n').flatMap((line) => {
      const label = /^(\$\w+):/.exec(line)?.[1];
      const text = /^\t(?:@!?%p\d+ )?([a-z][\w.:]*[^;]*);/.exec(line)?.[1]?.replaceAll('\t', ' ');
      const isCode = text && !text.startsWith('.');
      return label || isCode ? [{ label, text: isCode ? text : undefined }] : [];
    });
    const isForbidden = f64Kernels.test(kernel)
      ? /^(ld|st)\.local|^call|^(ld|st)\.(u|s|f|b|v)\d/
      : /^[\w.]*\.f64|^(ld|st)\.local|^call|^(ld|st)\.(u|s|f|b|v)\d/;
    const forbidden = instructions.find(({ text }) => isForbidden.test(text ?? ''));
    if (forbidden) faults.push(`${kernel} contains ${forbidden.text}`);
    const isDynamic = body.includes('dynamic_shared');
    if (isDynamic && !sharedBytes.some(([pattern]) => pattern.test(kernel))) {
      faults.push(`${kernel} needs an expression for its dynamic shared memory`);
    }
    table.set(kernel, {
      threads: Number(/\.maxntid (\d+)/.exec(head)?.[1]),
      loop: mainLoop(instructions),
    });
  }
  return table;
}

/** Evaluates the C++ expression of every kernel's dynamic shared memory. */
function dynamicShared(kernels, folder) {
  const expressions = kernels.map((kernel) => {
    const found = sharedBytes.find(([pattern]) => pattern.test(kernel));
    return found ? kernel.replace(found[0], found[1]) : '0';
  });
  const headers = ['matmul', 'attention', 'conv3d', 'patchify'];
  const lines = [
    '#include <cstdio>',
    ...headers.map((name) => `#include "kernels/${name}/${name}_config.h"`),
    'using namespace framepack;',
    'int main() {',
    ...expressions.map((bytes) => `  std::printf("%lld\\n", static_cast<long long>(${bytes}));`),
    '}',
  ];
  const source = join(folder, 'a.cc');
  const program = join(folder, 'a.out');
  writeFileSync(source, lines.join('\n'));
  execFileSync('c++', ['-std=c++20', '-I', root, '-o', program, source]);
  const bytes = execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map(Number);
  return new Map(kernels.map((kernel, at) => [kernel, bytes[at]]));
}

/** Blocks that one multiprocessor holds: the driver reserves 1 KiB each, registers come in 256 per warp. */
function blocksPerMultiprocessor(sm, { registers, staticShared }, threads, dynamic) {
  const limits = multiprocessors[sm];
  const warps = threads / 32;
  const perWarp = Math.ceil((registers * 32) / 256) * 256;
  const byRegisters = Math.floor((Math.floor(65536 / 4 / perWarp) * 4) / warps);
  const bytes = Math.ceil((staticShared + dynamic + 1024) / 128) * 128;
  const byShared = Math.floor((limits.sharedKiB * 1024) / bytes);
  return Math.min(byRegisters, byShared, Math.floor(limits.warps / warps), limits.blocks);
}

function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-resources-'));
  try {
    const sass = new Map();
    const ptx = new Map();
    const files = readdirSync(import.meta.dirname, { recursive: true }).sort();
    for (const source of files.filter((file) => file.endsWith('.cu'))) {
      for (const [kernel, row] of compileSass(join(import.meta.dirname, source), folder))
        sass.set(kernel, row);
      for (const [kernel, row] of readPtx(join(import.meta.dirname, source), folder))
        ptx.set(kernel, row);
    }
    const kernels = [...sass.keys()].sort();
    const dynamic = dynamicShared(kernels, folder);
    return Object.fromEntries(
      kernels.map((kernel) => {
        const { threads, loop } = ptx.get(kernel);
        const shared = dynamic.get(kernel);
        const rows = Object.entries(sass.get(kernel));
        const registers = rows.map(([sm, row]) => [sm, row.registers]);
        const blocks = rows.map(([sm, row]) => [
          sm,
          blocksPerMultiprocessor(sm, row, threads, shared),
        ]);
        return [
          kernel,
          {
            threads,
            sharedBytes: shared + rows[0][1].staticShared,
            registers: Object.fromEntries(registers),
            blocksPerMultiprocessor: Object.fromEntries(blocks),
            ...loop,
          },
        ];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The rows of README.md; twins that agree are one. */
function renderTable(kernels) {
  const rows = new Map();
  for (const [kernel, row] of Object.entries(kernels)) {
    const list = (values) => {
      const all = Object.values(values);
      return new Set(all).size === 1 ? `${all[0]}` : all.join(' / ');
    };
    const cells = [
      row.threads,
      row.sharedBytes,
      list(row.registers),
      list(row.blocksPerMultiprocessor),
      row.instructionsPerMma ?? '',
    ].join(' | ');
    const key = `${kernel.replace(/_(bf16|f16)(?=_|$)/, '_*')} | ${cells}`;
    rows.set(key, [...(rows.get(key) ?? []), kernel]);
  }
  const lines = [...rows].map(([key, twins]) => {
    const [stem, ...cells] = key.split(' | ');
    const name = twins.length > 1 ? stem.replace('_*', '_{bf16,f16}') : twins[0];
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  return [
    '| kernel | threads | shared bytes | registers | blocks | loop |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

const readmeFile = join(import.meta.dirname, 'README.md');
const toolkit = /release ([\d.]+), V([\d.]+)/.exec(compile(['--version']))[2];
const committed = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : {};
const isCheck = process.argv.includes('--check');
if (isCheck && committed.toolkit !== toolkit) {
  process.stdout.write(`skipped: resources.json is of nvcc ${committed.toolkit}, not ${toolkit}\n`);
  process.exit(77);
}
const kernels = measure();
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exit(1);
const outputs = new Map([
  [resultFile, `${JSON.stringify({ toolkit, kernels }, null, 2)}\n`],
  [
    readmeFile,
    readFileSync(readmeFile, 'utf8').replace(
      /<!-- resources -->[\s\S]*<!-- \/resources -->/,
      `<!-- resources -->\n${renderTable(kernels)}\n<!-- /resources -->`,
    ),
  ],
]);
for (const [file, text] of outputs) {
  if (!isCheck) {
    writeFileSync(file, text);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${file} is out of date: node kernels/resources.mjs\n`);
    process.exitCode = 1;
  }
}
