// Which rotary embedding kernels run, as pure functions of the arguments. No CUDA headers.
#pragma once
#include <algorithm>

#include "../device/launch.h"
#include "rope_args.h"

namespace framepack {

constexpr int kRopeThreads = 256;
// A thread of the vector kernels rotates its columns of about this many heads of one token, so that the
// table and the weight are read once for all of them.
constexpr int kRopeHeadsPerThread = 4;

namespace rope_plan {

// One row of a table per threads y, its columns along x.
inline Launch launch_table(const char* kernel, long long rows, long long columns) {
  if (rows == 0 || columns == 0) return {};
  const unsigned x =
      columns >= kRopeThreads ? kRopeThreads : static_cast<unsigned>(ceil_div(columns, 32) * 32);
  const unsigned y = kRopeThreads / x;
  return {kernel, {static_cast<unsigned>(ceil_div(rows, y)), 1, 1}, {x, y, 1}, 0};
}

inline bool is_power_of_two(long long value) { return value > 0 && (value & (value - 1)) == 0; }

// Lanes that hold one head in 16-byte pieces, or 0 where the vector kernels do not apply.
inline unsigned lanes_per_head(const RopeArgs& args) {
  const int size = size_of(args.dtype), vector = 16 / size;
  const long long lanes = args.head_width / vector;
  const bool fits = args.head_width % vector == 0 && is_power_of_two(lanes) && lanes <= 32 &&
                    (lanes > 1 || args.layout == RopeLayout::kInterleaved);
  const bool is_aligned = is_vector_aligned(args.x, args.x_batch_stride, size) &&
                          is_vector_aligned(args.x, args.x_token_stride, size) &&
                          is_vector_aligned(args.x, args.x_head_stride, size) &&
                          is_vector_aligned(args.out, args.out_batch_stride, size) &&
                          is_vector_aligned(args.out, args.out_token_stride, size) &&
                          is_vector_aligned(args.out, args.out_head_stride, size);
  return fits && is_aligned ? static_cast<unsigned>(lanes) : 0;
}

}  // namespace rope_plan

inline Launch plan_rope_table(const RopeTableArgs& args, const DeviceTraits&) {
  return rope_plan::launch_table(
      "rope_table", args.frames * args.height * args.width,
      (args.axis_width[0] + args.axis_width[1] + args.axis_width[2]) / 2);
}

inline Launch plan_rope_pool(const RopePoolArgs& args, const DeviceTraits&) {
  return rope_plan::launch_table("rope_pool",
                                 ceil_div(args.frames, args.pool[0]) *
                                     ceil_div(args.height, args.pool[1]) *
                                     ceil_div(args.width, args.pool[2]),
                                 args.columns);
}

inline Launch plan_rope(const RopeArgs& args, const DeviceTraits&) {
  const long long tokens = args.batch * args.tokens;
  if (tokens == 0 || args.heads == 0 || args.head_width == 0) return {};
  const unsigned lanes = rope_plan::lanes_per_head(args);
  if (lanes == 0) {  // one warp per head
    constexpr int kWarps = kRopeThreads / 32;
    return {"rope_any",
            {static_cast<unsigned>(ceil_div(tokens * args.heads, kWarps)), 1, 1},
            {32, kWarps, 1},
            0};
  }
  // threads x: the pieces of a head; y: heads of a token, in turns; z: tokens
  const long long wanted = ceil_div(args.heads, kRopeHeadsPerThread);
  unsigned y = 1;
  while (y < wanted && y * lanes < kRopeThreads) y *= 2;
  constexpr unsigned kMaxZ = 64;  // limit of the architecture
  const unsigned z = std::min(kRopeThreads / (lanes * y), kMaxZ);
  const char* kernel = args.dtype == DType::kF32   ? "rope_f32"
                       : args.dtype == DType::kF16 ? "rope_f16"
                                                   : "rope_bf16";
  return {kernel, {static_cast<unsigned>(ceil_div(tokens, z)), 1, 1}, {lanes, y, z}, 0};
}

}  // namespace framepack
