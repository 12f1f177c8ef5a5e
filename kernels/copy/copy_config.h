// Which copy, fill and fp8 kernels run, as pure functions of the arguments. No CUDA headers.
#pragma once
#include <algorithm>
#include <array>

#include "../device/axes.h"
#include "../device/launch.h"
#include "copy_args.h"

namespace framepack {

constexpr int kCopyThreads = 256;
constexpr int kConvertVector = 4;  // elements per thread of the contiguous conversions

// A transposed tile: at most 128 bytes of x wide, and as many rows as fill kTransposeBytes.
constexpr int kTransposeLine = 128;
constexpr int kTransposeBytes = 16384;

constexpr int kQuantizeBlock = 64;  // group width of the kernels that keep a group in registers
constexpr int kQuantizeMaxGroup = 32768;  // wider groups are the work of many blocks
constexpr int kQuantizeBlockElements = 8192;

namespace copy_plan {

inline unsigned blocks(long long threads) {
  return static_cast<unsigned>(ceil_div(threads, kCopyThreads));
}

// Both operands run along the innermost axis and allow accesses of `elements` elements.
inline bool is_dense(const CopyArgs& args, long long elements) {
  const long long inner = args.rank - 1;
  const auto allows = [&](const void* data, const long long (&stride)[kCopyMaxRank], DType dtype) {
    const unsigned long long bytes = static_cast<unsigned long long>(elements * size_of(dtype));
    if (stride[inner] != 1 || reinterpret_cast<unsigned long long>(data) % bytes != 0) return false;
    return std::all_of(stride, stride + inner, [&](long long s) { return s % elements == 0; });
  };
  return allows(args.x, args.x_stride, args.x_dtype) &&
         allows(args.out, args.out_stride, args.out_dtype);
}

// The axis along which x is contiguous, if out is contiguous along another one; else -1.
inline long long transposed_axis(const CopyArgs& args) {
  const long long inner = args.rank - 1;
  if (args.x_dtype != args.out_dtype || args.out_stride[inner] != 1) return -1;
  for (long long axis = 0; axis < inner; ++axis) {
    if (args.x_stride[axis] == 1) return axis;
  }
  return -1;
}

inline void move_axis(long long* values, long long from, long long to) {
  std::rotate(values + from, values + from + 1, values + to + 1);
}

// The axes in the order of out, merged: writes then go along the longest runs.
inline void arrange_axes(CopyArgs& args) {
  for (long long i = 1; i < args.rank; ++i) {  // insertion sort: at most six axes
    for (long long axis = i; axis > 0 && args.out_stride[axis - 1] < args.out_stride[axis];
         --axis) {
      std::swap(args.shape[axis - 1], args.shape[axis]);
      std::swap(args.x_stride[axis - 1], args.x_stride[axis]);
      std::swap(args.out_stride[axis - 1], args.out_stride[axis]);
    }
  }
  merge_axes(args.rank, args.shape, {&args.x_stride, &args.out_stride});
}

inline Launch launch_transpose(CopyArgs& args, long long axis, long long outer) {
  const int size = size_of(args.x_dtype);
  move_axis(args.shape, axis, args.rank - 2);
  move_axis(args.x_stride, axis, args.rank - 2);
  move_axis(args.out_stride, axis, args.rank - 2);
  const long long columns = std::min<long long>(args.shape[args.rank - 2], kTransposeLine / size);
  const long long line = kTransposeLine / size;
  const long long rows = kTransposeBytes / (columns * size) / line * line;
  const char* kernel = size == 4   ? "copy_transpose_32_bit"
                       : size == 2 ? "copy_transpose_16_bit"
                                   : "copy_transpose_8_bit";
  return {kernel,
          {static_cast<unsigned>(outer),
           static_cast<unsigned>(ceil_div(args.shape[args.rank - 1], rows)),
           static_cast<unsigned>(ceil_div(args.shape[args.rank - 2], columns))},
          {kCopyThreads, 1, 1},
          0};
}

}  // namespace copy_plan

// Reorders and merges axes in `args`, which the launch must then be given.
inline Launch plan_copy(CopyArgs& args, const DeviceTraits&) {
  using namespace copy_plan;
  long long count = 1;
  for (long long axis = 0; axis < args.rank; ++axis) count *= args.shape[axis];
  if (count == 0) return {};
  arrange_axes(args);
  const long long inner = args.shape[args.rank - 1], runs = count / inner;
  const long long per_16_bytes = 16 / size_of(args.x_dtype);
  if (args.x_dtype == args.out_dtype && inner % per_16_bytes == 0 && is_dense(args, per_16_bytes)) {
    return {"copy_16_byte", {blocks(count / per_16_bytes), 1, 1}, {kCopyThreads, 1, 1}, 0};
  }
  if ((runs == 1 || inner % kConvertVector == 0) && is_dense(args, kConvertVector)) {
    return {"copy_convert",
            {blocks(runs * ceil_div(inner, kConvertVector)), 1, 1},
            {kCopyThreads, 1, 1},
            0};
  }
  const long long axis = transposed_axis(args);
  constexpr long long kMaxGridY = 65535, kMinRows = 8;
  if (axis >= 0 && inner >= kMinRows && inner / kTransposeLine < kMaxGridY &&
      args.shape[axis] / (kTransposeLine / 4) < kMaxGridY) {
    return launch_transpose(args, axis, runs / args.shape[axis]);
  }
  return {"copy_any", {blocks(count), 1, 1}, {kCopyThreads, 1, 1}, 0};
}

inline Launch plan_fill(const FillArgs& args, const DeviceTraits&) {
  if (args.count == 0) return {};
  if (!is_vector_aligned(args.out, 0, 1)) {
    return {"fill_any", {copy_plan::blocks(args.count), 1, 1}, {kCopyThreads, 1, 1}, 0};
  }
  const long long pieces = ceil_div(args.count * size_of(args.dtype), 16);
  return {"fill_16_byte", {copy_plan::blocks(pieces), 1, 1}, {kCopyThreads, 1, 1}, 0};
}

// Launches in order; an empty one has nothing to do. Groups that one block can serve take one launch.
// For wider ones the array of scales first collects max |w| as integers: clear, maximum, scale, encode.
inline std::array<Launch, 4> plan_quantize(const QuantizeArgs& args, const DeviceTraits&) {
  if (args.rows == 0 || args.width == 0) return {};
  const long long groups = args.rows * (args.width / args.group_width);
  const int size = size_of(args.dtype);
  if (args.group_width == kQuantizeBlock && is_vector_aligned(args.w, 0, 1) &&
      is_vector_aligned(args.q, 0, 1)) {
    const long long groups_per_block = kCopyThreads / (kQuantizeBlock * size / 16);
    const char* kernel = args.dtype == DType::kF32   ? "quantize_f32_block64"
                         : args.dtype == DType::kF16 ? "quantize_f16_block64"
                                                     : "quantize_bf16_block64";
    return {{{kernel,
              {static_cast<unsigned>(ceil_div(groups, groups_per_block)), 1, 1},
              {kCopyThreads, 1, 1},
              0}}};
  }
  const unsigned group_count = static_cast<unsigned>(groups);
  if (args.group_width <= kQuantizeMaxGroup) {
    return {{{"quantize_group", {group_count, 1, 1}, {kCopyThreads, 1, 1}, 0}}};
  }
  const unsigned pieces = static_cast<unsigned>(ceil_div(args.group_width, kQuantizeBlockElements));
  const Launch scales = {"", {copy_plan::blocks(groups), 1, 1}, {kCopyThreads, 1, 1}, 0};
  const Launch elements = {"", {pieces, group_count, 1}, {kCopyThreads, 1, 1}, 0};
  std::array<Launch, 4> launches = {scales, elements, scales, elements};
  launches[0].kernel = "quantize_clear", launches[1].kernel = "quantize_maximum";
  launches[2].kernel = "quantize_scale", launches[3].kernel = "quantize_encode";
  return launches;
}

inline Launch plan_dequantize(const DequantizeArgs& args, const DeviceTraits&) {
  const long long count = args.rows * args.width;
  if (count == 0) return {};
  const bool is_vector = args.group_width % kConvertVector == 0 &&
                         is_vector_aligned(args.q, 0, 1) && is_vector_aligned(args.out, 0, 1);
  return {is_vector ? "dequantize_x4" : "dequantize_any",
          {copy_plan::blocks(is_vector ? count / kConvertVector : count), 1, 1},
          {kCopyThreads, 1, 1},
          0};
}

}  // namespace framepack
