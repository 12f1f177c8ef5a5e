// Which normalisation kernels run, as pure functions of the arguments. No CUDA headers.
#pragma once
#include <array>

#include "../device/launch.h"
#include "norm_args.h"

namespace framepack {

// A thread keeps up to this many 16-byte pieces of its row in registers, so that x is read once.
constexpr int kNormHeldVectors = 4;
constexpr int kNormMaxThreads = 1024;
constexpr int kNormWarpRows = 4;  // rows per block where one warp serves a row
// The kernels for any alignment: rows up to this width are one warp's work.
constexpr int kNormWarpWidth = 1024;
constexpr int kNormAnyThreads = 256;

// Group statistics are summed in this many pieces of the positions, whatever the device.
constexpr int kGroupNormChunks = 512;
constexpr int kGroupNormThreads = 256;
constexpr int kGroupNormMergeThreads = 32;
constexpr int kGroupNormPartialBytes = 16;  // two sums, each as f32 pair

namespace norm_plan {

inline int element_index(DType dtype) {  // f32, f16, bf16: the rows of the name tables below
  return dtype == DType::kF32 ? 0 : dtype == DType::kF16 ? 1 : 2;
}

inline unsigned round_to_warps(long long threads) {
  return static_cast<unsigned>(ceil_div(threads, 32) * 32);
}

struct RowKernels {
  const char* vector[3];
  const char* any;
};

struct Rows {
  const void* x;
  const void* out;
  long long rows, width, x_row_stride;
  DType dtype;
};

inline Launch launch_rows(const RowKernels& kernels, const Rows& rows) {
  if (rows.rows == 0 || rows.width == 0) return {};
  const int size = size_of(rows.dtype);
  const long long vectors = rows.width * size / 16;
  const bool is_vector = is_vector_aligned(rows.x, rows.x_row_stride, size) &&
                         is_vector_aligned(rows.out, rows.width, size) &&
                         vectors <= kNormHeldVectors * kNormMaxThreads;
  const bool is_warp_row =
      is_vector ? vectors <= kNormHeldVectors * 32 : rows.width <= kNormWarpWidth;
  const unsigned threads = is_warp_row ? 32
                           : is_vector ? round_to_warps(ceil_div(vectors, kNormHeldVectors))
                                       : kNormAnyThreads;
  const unsigned rows_per_block = is_warp_row ? kNormWarpRows : 1;
  return {is_vector ? kernels.vector[element_index(rows.dtype)] : kernels.any,
          {static_cast<unsigned>(ceil_div(rows.rows, rows_per_block)), 1, 1},
          {threads, rows_per_block, 1},
          0};
}

}  // namespace norm_plan

inline Launch plan_layer_norm(const LayerNormArgs& args, const DeviceTraits&) {
  return norm_plan::launch_rows(
      {{"layer_norm_f32", "layer_norm_f16", "layer_norm_bf16"}, "layer_norm_any"},
      {args.x, args.out, args.rows, args.width, args.x_row_stride, args.dtype});
}

inline Launch plan_rms_norm(const RmsNormArgs& args, const DeviceTraits&) {
  return norm_plan::launch_rows(
      {{"rms_norm_f32", "rms_norm_f16", "rms_norm_bf16"}, "rms_norm_any"},
      {args.x, args.out, args.rows, args.width, args.x_row_stride, args.dtype});
}

// Partial sums [batch, groups, kGroupNormChunks], then mean and 1 / deviation [batch, groups].
inline long long group_norm_workspace_bytes(const GroupNormArgs& args) {
  return args.batch * args.groups * (kGroupNormChunks + 1) * kGroupNormPartialBytes;
}

// Three launches in order: partial statistics, their merge, and the normalisation.
inline std::array<Launch, 3> plan_group_norm(const GroupNormArgs& args, const DeviceTraits&) {
  if (args.batch == 0 || args.positions == 0 || args.channels == 0) return {};
  const int size = size_of(args.dtype), element = norm_plan::element_index(args.dtype);
  const long long vectors = args.channels * size / 16;  // per position
  const bool is_vector = is_vector_aligned(args.x, args.channels, size) &&
                         is_vector_aligned(args.out, args.channels, size) &&
                         vectors <= kGroupNormThreads;
  const unsigned batch = static_cast<unsigned>(args.batch);
  const unsigned groups = static_cast<unsigned>(args.groups);
  const Launch merge = {"group_norm_merge", {groups, batch, 1}, {kGroupNormMergeThreads, 1, 1}, 0};
  if (!is_vector) {
    const long long elements = args.batch * args.positions * args.channels;
    return {{{"group_norm_statistics_any",
              {kGroupNormChunks, groups, batch},
              {kGroupNormThreads, 1, 1},
              0},
             merge,
             {"group_norm_apply_any",
              {static_cast<unsigned>(ceil_div(elements, kGroupNormThreads)), 1, 1},
              {kGroupNormThreads, 1, 1},
              0}}};
  }
  static constexpr const char* kStatistics[3] = {
      "group_norm_statistics_f32", "group_norm_statistics_f16", "group_norm_statistics_bf16"};
  static constexpr const char* kApply[3] = {"group_norm_apply_f32", "group_norm_apply_f16",
                                            "group_norm_apply_bf16"};
  // threads x: 16-byte pieces of a position; y: positions
  const unsigned x = static_cast<unsigned>(vectors), y = kGroupNormThreads / x;
  constexpr int kPositionsPerThread = 8;
  const unsigned blocks = static_cast<unsigned>(ceil_div(args.positions, y * kPositionsPerThread));
  return {{{kStatistics[element], {kGroupNormChunks, batch, 1}, {x, y, 1}, 0},
           merge,
           {kApply[element], {blocks, batch, 1}, {x, y, 1}, 0}}};
}

}  // namespace framepack
