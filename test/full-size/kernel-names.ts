import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, dtypeOfCode } from '../../src/tensor/dtype.ts';
import { native } from '../../src/tensor/native.ts';
import type { NativeModule, NativeTensor } from '../../src/tensor/native-types.ts';
import { type CallOf, workOf } from '../../src/tensor/work/operation-work.ts';
import { repositoryPath } from '../tokenizers/vocabularies.ts';

/** What builds the addon too. */
const COMPILER = 'g++';

/** Operations that have kernels of several speeds. */
const OPERATIONS = ['matmul', 'conv3d', 'attention', 'patchify'] as const;
type Planned = (typeof OPERATIONS)[number];

/** A call of an operation: what it computes, and the numbers that its plan depends on. */
export interface LoggedCall {
  readonly operation: Planned;
  readonly flops: number;
  readonly numbers: readonly number[];
}

/** First byte and strides of a tensor, as far as kernels ask whether they may read 16 bytes at once. */
const offsetOf = ({ offset, dtype }: NativeTensor): number => offset * bytesOf(dtypeOfCode(dtype));

const NUMBERS: { readonly [O in Planned]: (call: CallOf<O>) => readonly number[] } = {
  matmul: ({ a, weight, out, scaleMode }) => [
    ...[a.dtype, offsetOf(a), a.strides[1]!, a.strides[0]!],
    ...[weight.dtype, offsetOf(weight), weight.strides[1]!, weight.strides[0]!],
    ...[...out.shape, a.shape[2]!, scaleMode],
  ],
  conv3d: ({ x, weight, out }) => [
    ...[x.dtype, offsetOf(x), weight.dtype, offsetOf(weight)],
    ...[x.shape[4]!, ...out.shape],
  ],
  attention: ({ q, k, v, out }) => [
    q.dtype,
    ...[q, k, v, out].flatMap((view) => [offsetOf(view), ...view.strides.slice(0, 3)]),
    ...q.shape,
  ],
  patchify: ({ x, weight }) => [
    ...[x.dtype, weight.dtype, x.shape[0]!, weight.shape[0]!],
    ...[...x.shape.slice(2), ...weight.shape.slice(2)],
  ],
};

/** Calls of operations while `body` runs. */
export async function loggedCalls(body: () => Promise<void>): Promise<LoggedCall[]> {
  const calls: LoggedCall[] = [];
  const module = native() as { -readonly [K in keyof NativeModule]: NativeModule[K] };
  const restore = OPERATIONS.map((operation) => log(module, operation, calls));
  try {
    await body();
  } finally {
    for (const end of restore) end();
  }
  return calls;
}

function log<O extends Planned>(module: NativeModule, operation: O, calls: LoggedCall[]) {
  const own = module[operation] as (device: never, call: CallOf<O>) => void;
  const logged = (device: never, call: CallOf<O>): void => {
    const numbers = (NUMBERS[operation] as (call: CallOf<O>) => readonly number[])(call);
    calls.push({ operation, flops: workOf(operation, call).flops, numbers });
    own(device, call);
  };
  Object.assign(module, { [operation]: logged });
  return () => Object.assign(module, { [operation]: own });
}

/** Asks the plan functions of the kernels, as the CUDA device does; a line in is a line out. */
const PROGRAM = String.raw`
#include <iostream>
#include <string>
#include "kernels/attention/attention_config.h"
#include "kernels/conv3d/conv3d_config.h"
#include "kernels/matmul/matmul_config.h"
#include "kernels/patchify/patchify_config.h"
using namespace framepack;
// An RTX 3060: compute capability 8.6, 28 multiprocessors.
constexpr DeviceTraits kTraits = {86, 99 * 1024, 100 * 1024, 28};
long long next() { long long value; std::cin >> value; return value; }
DType type() { return static_cast<DType>(next()); }
const void* address() { return reinterpret_cast<const void*>(next()); }
Launch matmul() {
  MatmulArgs args{};
  args.a_dtype = type(), args.a = address();
  args.a_row_stride = next(), args.a_batch_stride = next();
  args.w_dtype = type(), args.w = address();
  args.w_row_stride = next(), args.w_batch_stride = next();
  args.batch = next(), args.m = next(), args.n = next(), args.k = next();
  args.scale_mode = static_cast<ScaleMode>(next());
  return plan_matmul(args, kTraits);
}
Launch conv3d() {
  Conv3dArgs args{};
  args.dtype = type(), args.x = address(), args.w_dtype = type(), args.w = address();
  args.in_channels = next(), args.batch = next();
  for (auto& extent : args.out_extent) extent = next();
  args.out_channels = next();
  return plan_conv3d(args, kTraits);
}
AttentionStrides strides() {
  AttentionStrides stride{};
  stride.batch = next(), stride.token = next(), stride.head = next();
  return stride;
}
Launch attention() {
  AttentionArgs args{};
  args.dtype = type();
  args.q = address(), args.q_stride = strides();
  args.k = address(), args.k_stride = strides();
  args.v = address(), args.v_stride = strides();
  args.out = const_cast<void*>(address()), args.out_stride = strides();
  args.batch = next(), args.query_tokens = next(), args.heads = next(), args.head_width = next();
  return plan_attention(args, kTraits);
}
Launch patchify() {
  PatchifyArgs args{};
  args.x_dtype = type(), args.w_dtype = type(), args.batch = next(), args.width = next();
  for (auto& extent : args.extent) extent = next();
  for (auto& extent : args.kernel) extent = next();
  return plan_patchify(args, kTraits);
}
int main() {
  for (std::string name; std::cin >> name;) {
    const Launch plan = name == "matmul" ? matmul() : name == "conv3d" ? conv3d()
                      : name == "attention" ? attention() : patchify();
    std::cout << plan.kernel << "\n";
  }
}
`;

/** Work of every kernel that calls are launched as. */
export type KernelWork = ReadonlyMap<string, number>;

/** Names the kernel of every call of each stage. */
export function kernelWork(
  stages: Readonly<Record<string, readonly LoggedCall[]>>,
): Readonly<Record<string, KernelWork>> {
  const calls = Object.values(stages).flat();
  const lines = calls.map(({ operation, numbers }) => `${operation} ${numbers.join(' ')}`);
  const names = planned(lines.join('\n')).trim().split('\n');
  if (names.length !== calls.length) throw new Error('a call has no plan');
  let at = 0;
  const works = Object.entries(stages).map(([stage, own]) => {
    const work = new Map<string, number>();
    for (const { flops } of own) {
      const name = names[at++]!;
      work.set(name, (work.get(name) ?? 0) + flops);
    }
    return [stage, work] as const;
  });
  return Object.fromEntries(works);
}

function planned(input: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-plans-'));
  try {
    const program = join(folder, 'plans');
    const root = repositoryPath('.');
    execFileSync(COMPILER, ['-std=c++20', `-I${root}`, '-xc++', '-', '-o', program], {
      input: PROGRAM,
    });
    return execFileSync(program, { input, encoding: 'utf8', maxBuffer: 2 ** 26 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
