// quantize    scale[g] = max(max |w| / 448, 1e-8), q = e4m3(clamp(w / scale[g], +-448)) of each group g;
//             NaN -> 0
// dequantize  out = q * scale[g]
//
// Kernels    quantize_<f32|f16|bf16>_block64   groups of 64 elements, in registers between maximum and
//                                              codes
//            quantize_group                    one block per group, which is read twice, the second time
//                                              from cache
//            quantize_clear, _maximum, _scale, _encode   groups of many blocks, in this order
//            dequantize_x4, dequantize_any     4 elements per thread, or one
// Layout     w, q and out contiguous; scale one f32 per group.
// Mapping    block64: 8 (f32: 16) lanes per group, 16 bytes each. Elsewhere threads run along the group.
// Numerics   f32 arithmetic with exact division, as on the host: codes and scales are the same in every
//            bit. Maxima of many blocks meet by integer atomics on the bits of non-negative floats,
//            whose order is theirs; a maximum does not depend on the order in which it is taken.
// Cost       w is read once (groups of many blocks: twice), q written once: bound by memory.
#include "../device/axes.cuh"
#include "../device/math.cuh"
#include "copy_config.h"
#include "exact.cuh"

namespace framepack {
namespace {

constexpr float kLargestF8 = 448.f;

FP_DEVICE float quantize_scale_of(float largest) { return fmaxf(largest / kLargestF8, 1e-8f); }

FP_DEVICE uint32_t quantize_code(float w, float scale) {
  const float quotient = w / scale;
  return isnan(quotient) ? 0u : exact::narrow_f8(fminf(fmaxf(quotient, -kLargestF8), kLargestF8));
}

FP_DEVICE long long quantize_groups(const QuantizeArgs& args) {
  return args.rows * (args.width / args.group_width);
}

template <class Element>
FP_DEVICE void quantize_block64(const QuantizeArgs& args) {
  constexpr int kCount = kVectorCount<Element>, kLanes = kQuantizeBlock / kCount;
  const long long piece = global_thread(), group = piece / kLanes;
  const bool exists = group < quantize_groups(args);
  float v[kCount] = {};
  if (exists) unpack_vector<Element>(v, static_cast<const uint4*>(args.w)[piece]);
  float largest = 0.f;
#pragma unroll
  for (int i = 0; i < kCount; ++i) largest = fmaxf(largest, fabsf(v[i]));  // ignores NaN
#pragma unroll
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, distance));
  }
  if (!exists) return;
  const float scale = quantize_scale_of(largest);
  if (piece % kLanes == 0) args.scale[group] = scale;
  uint32_t words[kCount / 4];
#pragma unroll
  for (int i = 0; i < kCount; i += 4) {
    words[i / 4] = quantize_code(v[i], scale) | quantize_code(v[i + 1], scale) << 8 |
                   quantize_code(v[i + 2], scale) << 16 | quantize_code(v[i + 3], scale) << 24;
  }
  if constexpr (kCount == 8) {
    static_cast<uint2*>(args.q)[piece] = {words[0], words[1]};
  } else {
    static_cast<uint32_t*>(args.q)[piece] = words[0];
  }
}

// max |w| of elements [begin, end) over the threads of the block, for thread 0.
FP_DEVICE float quantize_block_maximum(const QuantizeArgs& args, long long begin, long long end) {
  __shared__ float slots[kCopyThreads / 32];
  float largest = 0.f;
  for (long long i = begin + threadIdx.x; i < end; i += kCopyThreads) {
    largest = fmaxf(largest, fabsf(load_element(args.w, args.dtype, i)));
  }
  largest = warp_max(largest);
  if (threadIdx.x % 32 == 0) slots[threadIdx.x / 32] = largest;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int warp = 1; warp < kCopyThreads / 32; ++warp) largest = fmaxf(largest, slots[warp]);
  }
  return largest;
}

FP_DEVICE void quantize_elements(const QuantizeArgs& args, long long begin, long long end,
                                 float scale) {
  for (long long i = begin + threadIdx.x; i < end; i += kCopyThreads) {
    const uint32_t code = quantize_code(load_element(args.w, args.dtype, i), scale);
    static_cast<uint8_t*>(args.q)[i] = static_cast<uint8_t>(code);
  }
}

FP_DEVICE void quantize_group(const QuantizeArgs& args) {
  __shared__ float shared_scale;
  const long long begin = blockIdx.x * args.group_width, end = begin + args.group_width;
  const float largest = quantize_block_maximum(args, begin, end);
  if (threadIdx.x == 0) {
    shared_scale = quantize_scale_of(largest);
    args.scale[blockIdx.x] = shared_scale;
  }
  __syncthreads();
  quantize_elements(args, begin, end, shared_scale);
}

FP_DEVICE void quantize_clear(const QuantizeArgs& args) {
  if (global_thread() < quantize_groups(args)) args.scale[global_thread()] = 0.f;
}

struct QuantizeRange {
  long long begin, end;
};

// The elements of this block of a group of many blocks.
FP_DEVICE QuantizeRange quantize_range(const QuantizeArgs& args) {
  const long long group = blockIdx.y * args.group_width;
  const long long begin = static_cast<long long>(blockIdx.x) * kQuantizeBlockElements;
  return {group + begin, group + min(begin + kQuantizeBlockElements, args.group_width)};
}

FP_DEVICE void quantize_maximum(const QuantizeArgs& args) {
  const QuantizeRange range = quantize_range(args);
  const float largest = quantize_block_maximum(args, range.begin, range.end);
  if (threadIdx.x == 0) {
    atomicMax(reinterpret_cast<int*>(args.scale) + blockIdx.y, __float_as_int(largest));
  }
}

FP_DEVICE void quantize_scale(const QuantizeArgs& args) {
  const long long group = global_thread();
  if (group < quantize_groups(args)) args.scale[group] = quantize_scale_of(args.scale[group]);
}

FP_DEVICE void quantize_encode(const QuantizeArgs& args) {
  const QuantizeRange range = quantize_range(args);
  quantize_elements(args, range.begin, range.end, args.scale[blockIdx.y]);
}

FP_DEVICE void dequantize_x4(const DequantizeArgs& args) {
  const long long piece = global_thread();
  if (piece >= args.rows * args.width / kConvertVector) return;
  unsigned long long group = piece * kConvertVector;
  split_index(group, args.group_width);
  const float scale = args.scale[group];
  uint32_t bits[kConvertVector];
  exact::load_four(bits, args.q, 1, piece);
#pragma unroll
  for (int i = 0; i < kConvertVector; ++i) {
    bits[i] = exact::narrow(exact::widen_f8(bits[i]) * scale, args.dtype);
  }
  exact::store_four(args.out, exact::bytes_of(args.dtype), piece, bits);
}

FP_DEVICE void dequantize_any(const DequantizeArgs& args) {
  const long long i = global_thread();
  if (i >= args.rows * args.width) return;
  unsigned long long group = i;
  split_index(group, args.group_width);
  const float value = exact::widen_f8(static_cast<const uint8_t*>(args.q)[i]) * args.scale[group];
  exact::store_bits(args.out, exact::bytes_of(args.dtype), i, exact::narrow(value, args.dtype));
}

}  // namespace
}  // namespace framepack

#define QUANTIZE_KERNEL(name, Args, function)                           \
  extern "C" __global__ void __launch_bounds__(framepack::kCopyThreads) \
      name(const framepack::Args args) {                                \
    framepack::function(args);                                          \
  }

QUANTIZE_KERNEL(quantize_f32_block64, QuantizeArgs, quantize_block64<framepack::F32>)
QUANTIZE_KERNEL(quantize_f16_block64, QuantizeArgs, quantize_block64<framepack::F16>)
QUANTIZE_KERNEL(quantize_bf16_block64, QuantizeArgs, quantize_block64<framepack::Bf16>)
QUANTIZE_KERNEL(quantize_group, QuantizeArgs, quantize_group)
QUANTIZE_KERNEL(quantize_clear, QuantizeArgs, quantize_clear)
QUANTIZE_KERNEL(quantize_maximum, QuantizeArgs, quantize_maximum)
QUANTIZE_KERNEL(quantize_scale, QuantizeArgs, quantize_scale)
QUANTIZE_KERNEL(quantize_encode, QuantizeArgs, quantize_encode)
QUANTIZE_KERNEL(dequantize_x4, DequantizeArgs, dequantize_x4)
QUANTIZE_KERNEL(dequantize_any, DequantizeArgs, dequantize_any)
#undef QUANTIZE_KERNEL
