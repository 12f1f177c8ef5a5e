// cumsum   out[o, a, i] = sum of x[o, 0 .. a, i]
// top_k    the k first of x[o, :, i] in order of size, and their indices
//
// Layout     [outer, axis, inner] contiguous; a line is an (o, i).
// Mapping    one block per line. cumsum takes one element per thread and step; top_k finds one element per pass
//            over the line, the first that comes after the one before.
// Shared     one f32 sum, or one 64-bit key, per warp.
// Numerics   cumsum adds up the 256 elements of a step in f32 and the steps in an f32 pair; rounded once. top_k
//            moves bits.
// Cost       cumsum reads and writes once; top_k reads the line k times, from L2 after the first pass. Lines of a
//            wide inner extent are read one sector per element.
#include "../device/accurate.cuh"
#include "../device/convert.cuh"
#include "scan_config.h"

namespace framepack {
namespace {

constexpr int kScanWarps = kScanThreads / 32;

struct Line {
  long long outer, inner;
};

FP_DEVICE Line block_line(long long inner) {
  const long long outer = blockIdx.x / inner;
  return {outer, blockIdx.x - outer * inner};
}

// Inclusive sum over the lanes of a warp.
FP_DEVICE float warp_scan(float value) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const float before = __shfl_up_sync(kAllLanes, value, distance);
    if (lane >= distance) value += before;
  }
  return value;
}

FP_DEVICE void cumsum(const CumsumArgs& args) {
  __shared__ float warp_totals[kScanWarps];
  const Line line = block_line(args.inner);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  PairSum before{};  // of all steps so far
  for (long long start = 0; start < args.axis; start += kScanThreads) {
    const long long index = start + threadIdx.x;
    const bool exists = index < args.axis;
    const long long at = (line.outer * args.axis + index) * args.inner + line.inner;
    const float sum = warp_scan(exists ? load_element(args.x, args.dtype, at) : 0.f);
    if (lane == 31) warp_totals[warp] = sum;
    __syncthreads();
    float of_warps = 0.f, of_step = 0.f;
#pragma unroll
    for (int i = 0; i < kScanWarps; ++i) {
      if (i == warp) of_warps = of_step;
      of_step += warp_totals[i];
    }
    PairSum total = before;
    total.add(of_warps);
    total.add(sum);
    if (exists) store_element(args.out, args.out_dtype, at, total.value());
    before.add(of_step);
    __syncthreads();  // the totals have been read
  }
}

// Larger for what comes first: the value in an order of whole numbers, then the smaller index. Never 0.
FP_DEVICE unsigned long long order_key(float value, long long index, bool is_largest) {
  const uint32_t bits = __float_as_uint(value + 0.f);  // -0 becomes 0
  uint32_t order = bits >> 31 ? ~bits : bits | 0x80000000u;
  if (isnan(value)) order = 0xffffffffu;
  if (!is_largest) order = ~order;
  return static_cast<unsigned long long>(order) << 32 | ~static_cast<uint32_t>(index);
}

FP_DEVICE unsigned long long larger(unsigned long long a, unsigned long long b) {
  return a > b ? a : b;
}

FP_DEVICE unsigned long long block_largest(unsigned long long key) {
  __shared__ unsigned long long of_warps[kScanWarps];
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    key = larger(key, __shfl_xor_sync(kAllLanes, key, distance));
  }
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = key;
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kScanWarps; ++i) key = larger(key, of_warps[i]);
  __syncthreads();
  return key;
}

FP_DEVICE void top_k(const TopKArgs& args) {
  const Line line = block_line(args.inner);
  const auto place = [&](long long index) {
    return (line.outer * args.axis + index) * args.inner + line.inner;
  };
  unsigned long long last = ~0ull;
  for (long long rank = 0; rank < args.k; ++rank) {
    unsigned long long best = 0;
    for (long long index = threadIdx.x; index < args.axis; index += kScanThreads) {
      const float value = load_element(args.x, args.dtype, place(index));
      const unsigned long long key = order_key(value, index, args.is_largest);
      if (key < last) best = larger(best, key);
    }
    last = block_largest(best);
    if (threadIdx.x == 0) {
      const long long to = (line.outer * args.k + rank) * args.inner + line.inner;
      const uint32_t index = ~static_cast<uint32_t>(last);
      args.indices[to] = static_cast<int>(index);
      if (args.dtype == DType::kF32) {
        static_cast<uint32_t*>(args.values)[to] =
            static_cast<const uint32_t*>(args.x)[place(index)];
      } else {
        static_cast<uint16_t*>(args.values)[to] =
            static_cast<const uint16_t*>(args.x)[place(index)];
      }
    }
  }
}

}  // namespace
}  // namespace framepack

#define SCAN_KERNEL(name, Args)                                         \
  extern "C" __global__ void __launch_bounds__(framepack::kScanThreads) \
      name(const framepack::Args args) {                                \
    framepack::name(args);                                              \
  }

SCAN_KERNEL(cumsum, CumsumArgs)
SCAN_KERNEL(top_k, TopKArgs)
#undef SCAN_KERNEL
