// Which gather kernel runs, as a pure function of the arguments. No CUDA headers.
#pragma once
#include "../device/axes.h"
#include "../device/launch.h"
#include "gather_args.h"

namespace framepack {

constexpr int kGatherThreads = 256;

namespace gather_plan {

inline Launch launch(const char* kernel, long long threads) {
  return {kernel,
          {static_cast<unsigned>(ceil_div(threads, kGatherThreads)), 1, 1},
          {kGatherThreads, 1, 1},
          0};
}

}  // namespace gather_plan

// One thread per 16 bytes or per element of out.
inline Launch plan_embedding(const EmbeddingArgs& args, const DeviceTraits&) {
  const int size = size_of(args.table_dtype);
  const bool is_vector = args.table_dtype == args.out_dtype &&
                         is_vector_aligned(args.table, args.width, size) &&
                         is_vector_aligned(args.out, args.width, size);
  const long long count = args.tokens * args.width;
  return is_vector ? gather_plan::launch("embedding_16_byte", count * size / 16)
                   : gather_plan::launch("embedding_any", count);
}

inline Launch plan_upsample(const UpsampleArgs& args, const DeviceTraits&) {
  if (args.extent[0] == 0) return {};
  const long long frames = args.factor[0] == 2 ? 2 * args.extent[0] - 1 : args.extent[0];
  const long long pixels =
      args.batch * frames * args.extent[1] * args.factor[1] * args.extent[2] * args.factor[2];
  const int size = size_of(args.dtype);
  if (is_vector_aligned(args.x, args.channels, size) &&
      is_vector_aligned(args.out, args.channels, size)) {
    return gather_plan::launch("upsample_16_byte", pixels * args.channels * size / 16);
  }
  return gather_plan::launch(size == 4 ? "upsample_32_bit" : "upsample_16_bit",
                             pixels * args.channels);
}

// One thread per index. Merges axes in `args`, which the launch must then be given.
inline Launch plan_indexed(IndexedArgs& args, const DeviceTraits&) {
  merge_axes(args.rank, args.shape, {&args.x_stride, &args.index_stride, &args.out_stride});
  long long count = 1;
  for (const long long extent : args.shape) count *= extent;
  const int size = size_of(args.dtype);
  return gather_plan::launch(size == 4   ? "indexed_32_bit"
                             : size == 2 ? "indexed_16_bit"
                                         : "indexed_8_bit",
                             count);
}

}  // namespace framepack
