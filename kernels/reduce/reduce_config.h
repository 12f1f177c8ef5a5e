// Which reduction kernels run, as a pure function of the arguments. No CUDA headers.
#pragma once
#include <array>

#include "../device/launch.h"
#include "reduce_args.h"

namespace framepack {

constexpr int kReduceThreads = 256;
constexpr int kReduceMaxColumns = 32;
// One block sums this many elements: rows of axis times the columns beside each other. The partition
// depends on the shape alone, so results are the same on every device.
constexpr int kReduceBlockElements = 16384;
constexpr int kReducePartialBytes = 16;  // two sums, each as f32 pair

namespace reduce_plan {

// Columns of one block: a power of two, so that a warp holds whole groups of columns.
inline unsigned columns(const ReduceArgs& args) {
  unsigned columns = 1;
  while (columns < args.inner && columns < kReduceMaxColumns) columns *= 2;
  return columns;
}

inline long long chunks(const ReduceArgs& args) {
  return ceil_div(args.axis, kReduceBlockElements / columns(args));
}

}  // namespace reduce_plan

// Partial results [outer, chunks, inner]; 0 where one block sees the whole axis.
inline long long reduce_workspace_bytes(const ReduceArgs& args) {
  const long long chunks = reduce_plan::chunks(args);
  return chunks <= 1 ? 0 : args.outer * chunks * args.inner * kReducePartialBytes;
}

// Two launches in order; the second has nothing to do where one block sees the whole axis.
inline std::array<Launch, 2> plan_reduce(const ReduceArgs& args, const DeviceTraits&) {
  if (args.outer == 0 || args.inner == 0) return {};
  static constexpr const char* kNames[3] = {"reduce_f32", "reduce_f16", "reduce_bf16"};
  const int element = args.dtype == DType::kF32 ? 0 : args.dtype == DType::kF16 ? 1 : 2;
  const unsigned columns = reduce_plan::columns(args), rows = kReduceThreads / columns;
  const long long chunks = reduce_plan::chunks(args);
  const unsigned tiles = static_cast<unsigned>(args.outer * ceil_div(args.inner, columns));
  const Launch finish = {"reduce_finish", {tiles, 1, 1}, {columns, rows, 1}, 0};
  return {{{kNames[element],
            {tiles, chunks <= 1 ? 1 : static_cast<unsigned>(chunks), 1},
            {columns, rows, 1},
            0},
           chunks <= 1 ? Launch{} : finish}};
}

}  // namespace framepack
