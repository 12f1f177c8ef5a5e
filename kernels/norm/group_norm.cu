// y = silu?((x - mean) / sqrt(var + eps) * weight + bias), statistics over positions x channels of a
// group
//
// Kernels    group_norm_statistics_<f32|f16|bf16|any>   sums over one of kGroupNormChunks pieces of the
//                                                       positions, for every group
//            group_norm_merge                           sums of all pieces -> mean, 1 / deviation
//            group_norm_apply_<f32|f16|bf16|any>        the normalisation itself
// Layout     [B, positions, C] contiguous: channels last.
// Mapping    threads x along the 16-byte pieces of a position, y along positions; a thread keeps its
//            channels for all of them. The kernels for any C and alignment take one element at a time.
// Shared     statistics: the sums of every thread and channel, 16.1 KB.
// Numerics   sums of deviations from the first element of the group, and of their squares; f32 data as
//            f32 pairs (48 bits). Partition and order depend on the shape alone; no atomics.
// Cost       x is read twice and written once: bound by memory.
#include <type_traits>

#include "../device/accurate.cuh"
#include "../device/convert.cuh"
#include "norm_config.h"

namespace framepack {
namespace {

// Moments of 16-bit data: their sums need no more than f32.
struct alignas(8) PlainMoments {
  float first, second;

  FP_DEVICE void add(float deviation) {
    first += deviation;
    second = fmaf(deviation, deviation, second);
  }
  FP_DEVICE void add(const PlainMoments& other) {
    first += other.first;
    second += other.second;
  }
};

FP_DEVICE float4 packed(const Moments& m) {
  return {m.first.sum, m.first.error, m.second.sum, m.second.error};
}
FP_DEVICE float4 packed(const PlainMoments& m) { return {m.first, 0.f, m.second, 0.f}; }

struct PositionRange {
  long long begin, end;
};

// The positions of this block: equal pieces over blockIdx.x.
FP_DEVICE PositionRange block_positions(const GroupNormArgs& args) {
  const long long per_block = (args.positions + gridDim.x - 1) / gridDim.x;
  const long long begin = min(blockIdx.x * per_block, args.positions);
  return {begin, min(begin + per_block, args.positions)};
}

// What the sums of a group are taken around: its first element.
FP_DEVICE float group_shift(const GroupNormArgs& args, int batch, int group) {
  const long long first = batch * args.positions * args.channels;
  return load_element(args.x, args.dtype, first + group * (args.channels / args.groups));
}

FP_DEVICE float4& group_partial(const GroupNormArgs& args, int batch, int group, int chunk) {
  return static_cast<float4*>(
      args.workspace)[(batch * args.groups + group) * kGroupNormChunks + chunk];
}

// Mean (a pair) and 1 / deviation of a group.
FP_DEVICE float4& group_result(const GroupNormArgs& args, int batch, int group) {
  const long long partials = args.batch * args.groups * kGroupNormChunks;
  return static_cast<float4*>(args.workspace)[partials + batch * args.groups + group];
}

template <class Element>
FP_DEVICE void group_norm_statistics(const GroupNormArgs& args) {
  using Sums = std::conditional_t<Element::kBytes == 4, Moments, PlainMoments>;
  constexpr int kCount = kVectorCount<Element>;
  // [channel of a piece][thread]; the padding keeps groups of half a piece apart.
  constexpr int kPitch = kGroupNormThreads + 2;
  __shared__ Sums slots[kCount * kPitch];
  const int batch = blockIdx.y, pieces = blockDim.x, channels = pieces * kCount;
  const int groups = static_cast<int>(args.groups), group_channels = channels / groups;
  const int thread = threadIdx.y * pieces + threadIdx.x, threads = pieces * blockDim.y;

  float shift[kCount];
  Sums sums[kCount];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    shift[i] = group_shift(args, batch, (threadIdx.x * kCount + i) / group_channels);
    sums[i] = {};
  }
  const PositionRange range = block_positions(args);
  const uint4* x =
      static_cast<const uint4*>(args.x) + batch * args.positions * pieces + threadIdx.x;
#pragma unroll 4
  for (long long p = range.begin + threadIdx.y; p < range.end; p += blockDim.y) {
    float v[kCount];
    unpack_vector<Element>(v, x[p * pieces]);
#pragma unroll
    for (int i = 0; i < kCount; ++i) sums[i].add(v[i] - shift[i]);
  }
#pragma unroll
  for (int i = 0; i < kCount; ++i) slots[i * kPitch + thread] = sums[i];
  __syncthreads();
  // A channel's sum ends in the slot of its thread of row 0, which nobody else reads before the barrier.
  for (int c = thread; c < channels; c += threads) {
    Sums* column = slots + c / pieces * kPitch + c % pieces;
    Sums total = column[0];
    for (int y = 1; y < blockDim.y; ++y) total.add(column[y * pieces]);
    column[0] = total;
  }
  __syncthreads();
  for (int g = thread; g < groups; g += threads) {
    Sums total{};
    for (int c = g * group_channels; c < (g + 1) * group_channels; ++c) {
      total.add(slots[c % kCount * kPitch + c / kCount]);
    }
    group_partial(args, batch, g, blockIdx.x) = packed(total);
  }
}

// One group per block; channels of any number and alignment.
FP_DEVICE void group_norm_statistics_any(const GroupNormArgs& args) {
  __shared__ Moments slots[kGroupNormThreads / 32];
  const int group = blockIdx.y, batch = blockIdx.z;
  const int group_channels = static_cast<int>(args.channels / args.groups);
  const float shift = group_shift(args, batch, group);
  const PositionRange range = block_positions(args);
  const long long count = (range.end - range.begin) * group_channels;
  Moments sums{};
  for (long long i = threadIdx.x; i < count; i += kGroupNormThreads) {
    const long long p = range.begin + i / group_channels;
    const int c = group * group_channels + static_cast<int>(i % group_channels);
    const long long at = (batch * args.positions + p) * args.channels + c;
    sums.add(load_element(args.x, args.dtype, at) - shift);
  }
  sums = warp_sum(sums);
  if (threadIdx.x % 32 == 0) slots[threadIdx.x / 32] = sums;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < kGroupNormThreads / 32; ++warp) sums.add(slots[warp]);
  group_partial(args, batch, group, blockIdx.x) = packed(sums);
}

FP_DEVICE void group_norm_merge(const GroupNormArgs& args) {
  const int group = blockIdx.x, batch = blockIdx.y;
  Moments sums{};
  for (int chunk = threadIdx.x; chunk < kGroupNormChunks; chunk += 32) {
    const float4 part = group_partial(args, batch, group, chunk);
    sums.add(Moments{{part.x, part.y}, {part.z, part.w}});
  }
  sums = warp_sum(sums);
  if (threadIdx.x != 0) return;
  const float count = static_cast<float>(args.positions * (args.channels / args.groups));
  PairSum mean = sums.first.divided_by(count);
  mean.add(group_shift(args, batch, group));
  const float variance = sums.squares_around_mean(count) / count;
  group_result(args, batch, group) = {mean.sum, mean.error, 1.f / sqrtf(variance + args.eps), 0.f};
}

// The affine part of one channel. 16-bit results fold the mean into the offset: one fma per element.
template <class Element>
struct ChannelAffine {
  PairSum mean;
  float factor, offset;

  ChannelAffine() = default;
  FP_DEVICE ChannelAffine(const float4& group, float weight, float bias)
      : mean{group.x, group.y}, factor(group.z * weight), offset(bias) {
    if constexpr (Element::kBytes == 2) offset = fmaf(-group.x, factor, bias);
  }

  FP_DEVICE float operator()(float x, int is_silu) const {
    if constexpr (Element::kBytes == 2) {
      const float y = fmaf(x, factor, offset);
      return is_silu ? silu(y) : y;
    } else {
      const float y = fmaf(deviation_from(x, mean), factor, offset);
      return is_silu ? accurate::silu(y) : y;
    }
  }
};

template <class Element>
FP_DEVICE void group_norm_apply(const GroupNormArgs& args) {
  constexpr int kCount = kVectorCount<Element>;
  const int batch = blockIdx.y, pieces = blockDim.x, first = threadIdx.x * kCount;
  const int group_channels = pieces * kCount / static_cast<int>(args.groups);
  ChannelAffine<Element> affine[kCount];
  float weight[kCount], bias[kCount];
  load_span(weight, args.weight, args.affine_dtype, first, kCount);
  load_span(bias, args.bias, args.affine_dtype, first, kCount);
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    affine[i] = {group_result(args, batch, (first + i) / group_channels), weight[i], bias[i]};
  }
  const PositionRange range = block_positions(args);
  const long long base = batch * args.positions * pieces + threadIdx.x;
#pragma unroll 2
  for (long long p = range.begin + threadIdx.y; p < range.end; p += blockDim.y) {
    float v[kCount];
    unpack_vector<Element>(v, static_cast<const uint4*>(args.x)[base + p * pieces]);
#pragma unroll
    for (int i = 0; i < kCount; ++i) v[i] = affine[i](v[i], args.silu);
    static_cast<uint4*>(args.out)[base + p * pieces] = pack_vector<Element>(v);
  }
}

FP_DEVICE void group_norm_apply_any(const GroupNormArgs& args) {
  const long long at = static_cast<long long>(blockIdx.x) * kGroupNormThreads + threadIdx.x;
  const long long per_batch = args.positions * args.channels;
  if (at >= args.batch * per_batch) return;
  const int batch = static_cast<int>(at / per_batch);
  const int channel = static_cast<int>(at % args.channels);
  const int group = channel / static_cast<int>(args.channels / args.groups);
  const ChannelAffine<F32> affine(group_result(args, batch, group),
                                  load_element(args.weight, args.affine_dtype, channel),
                                  load_element(args.bias, args.affine_dtype, channel));
  store_element(args.out, args.dtype, at, affine(load_element(args.x, args.dtype, at), args.silu));
}

}  // namespace
}  // namespace framepack

// One block per multiprocessor is promised because ptxas, left to choose, spills on sm_100 to reach more.
#define GROUP_NORM_KERNEL(name, threads, ...)                         \
  extern "C" __global__ void __launch_bounds__(framepack::threads, 1) \
      name(const framepack::GroupNormArgs args) {                     \
    framepack::__VA_ARGS__(args);                                     \
  }

GROUP_NORM_KERNEL(group_norm_statistics_f32, kGroupNormThreads,
                  group_norm_statistics<framepack::F32>)
GROUP_NORM_KERNEL(group_norm_statistics_f16, kGroupNormThreads,
                  group_norm_statistics<framepack::F16>)
GROUP_NORM_KERNEL(group_norm_statistics_bf16, kGroupNormThreads,
                  group_norm_statistics<framepack::Bf16>)
GROUP_NORM_KERNEL(group_norm_statistics_any, kGroupNormThreads, group_norm_statistics_any)
GROUP_NORM_KERNEL(group_norm_merge, kGroupNormMergeThreads, group_norm_merge)
GROUP_NORM_KERNEL(group_norm_apply_f32, kGroupNormThreads, group_norm_apply<framepack::F32>)
GROUP_NORM_KERNEL(group_norm_apply_f16, kGroupNormThreads, group_norm_apply<framepack::F16>)
GROUP_NORM_KERNEL(group_norm_apply_bf16, kGroupNormThreads, group_norm_apply<framepack::Bf16>)
GROUP_NORM_KERNEL(group_norm_apply_any, kGroupNormThreads, group_norm_apply_any)
#undef GROUP_NORM_KERNEL
