// layer_norm  y = ((x - mean) / sqrt(var + eps) * weight + bias) * (1 + scale) + shift
// rms_norm    y = x / sqrt(mean(x^2) + eps) * weight
// group_norm  y = silu?((x - mean) / sqrt(var + eps) * weight + bias), over positions x channels of a group
//
// Kernels    <layer|rms>_norm_<dtype>             rows in 16-byte pieces; <layer|rms>_norm_any: the rest
//            group_norm_statistics_<dtype|any>    sums over one of kGroupNormChunks pieces of the positions
//            group_norm_merge                     sums of all pieces -> mean and 1 / deviation
//            group_norm_apply_<dtype|any>         the normalisation itself
// Layout     rows [rows, D] with a stride, D contiguous; groups [B, positions, C] contiguous.
// Mapping    rows: one warp per row (4 rows per block) up to 128 pieces, else one block per row. A thread holds its
//            at most 4 pieces in registers through all passes, so x is read once.
//            groups: threads x along the pieces of a position, y along positions; channels stay with their thread.
// Shared     rows: 2 x 32 partial sums (0.5 KB). groups: the sums of every thread and channel, 16.1 KB.
// Numerics   two passes over a row, biased variance. f32 data: the mean is an f32 pair (48 bits), so that rows far
//            from zero lose nothing. Group sums are taken around the first element of the group; f32 data in pairs.
//            The order of every sum depends on the shape alone.
// Cost       rows: 2 D elements moved per row and nothing else that counts: bound by memory. groups: x is read twice,
//            written once.
#include <type_traits>

#include "../device/accurate.cuh"
#include "../device/convert.cuh"
#include "norm_config.h"

namespace framepack {
namespace {

// --- rows ------------------------------------------------------------------------------------------

FP_DEVICE float zero_of(float) { return 0.f; }
FP_DEVICE PairSum zero_of(PairSum) { return {0.f, 0.f}; }

// Over the blockDim.x threads of a row, the result to all of them. `slots` serves one call per launch.
template <class Sum>
FP_DEVICE Sum row_sum(Sum total, Sum (&slots)[32]) {
  total = warp_sum(total);
  if (blockDim.x == 32) return total;
  const int lane = threadIdx.x & 31;
  if (lane == 0) slots[threadIdx.x >> 5] = total;
  __syncthreads();
  return warp_sum(lane < blockDim.x / 32 ? slots[lane] : zero_of(total));
}

// One row in registers: pieces threadIdx.x, threadIdx.x + blockDim.x, ...
template <class ElementType>
class HeldRow {
 public:
  using Element = ElementType;
  static constexpr int kCount = kVectorCount<Element>;

  FP_DEVICE HeldRow(const void* x, DType, long long first, int width) : width_(width) {
    const uint4* source =
        reinterpret_cast<const uint4*>(static_cast<const char*>(x) + first * Element::kBytes);
#pragma unroll
    for (int i = 0; i < kNormHeldVectors; ++i) {
      if (column(i) < width_) pieces_[i] = source[threadIdx.x + i * blockDim.x];
    }
  }

  // f(column, values[kCount])
  template <class Visit>
  FP_DEVICE void visit(const Visit& f) const {
#pragma unroll
    for (int i = 0; i < kNormHeldVectors; ++i) {
      if (column(i) >= width_) continue;
      float v[kCount];
      unpack_vector<Element>(v, pieces_[i]);
      f(column(i), v);
    }
  }

 private:
  FP_DEVICE int column(int i) const {
    return static_cast<int>(threadIdx.x + i * blockDim.x) * kCount;
  }

  int width_;
  uint4 pieces_[kNormHeldVectors];
};

// One row of any alignment, read again by every pass.
class LooseRow {
 public:
  using Element = F32;  // sums as for f32
  static constexpr int kCount = 1;

  FP_DEVICE LooseRow(const void* x, DType dtype, long long first, int width)
      : x_(x), dtype_(dtype), first_(first), width_(width) {}

  template <class Visit>
  FP_DEVICE void visit(const Visit& f) const {
    for (int column = threadIdx.x; column < width_; column += blockDim.x) {
      float v[1] = {load_element(x_, dtype_, first_ + column)};
      f(column, v);
    }
  }

 private:
  const void* x_;
  DType dtype_;
  long long first_;
  int width_;
};

template <int kCount>
FP_DEVICE void load_columns(float (&v)[kCount], const void* data, DType dtype, long long i) {
  if constexpr (kCount == 1) {
    v[0] = load_element(data, dtype, i);
  } else {
    load_span(v, data, dtype, i, kCount);
  }
}

template <int kCount>
FP_DEVICE void store_columns(void* data, DType dtype, long long i, const float (&v)[kCount]) {
  if constexpr (kCount == 1) {
    store_element(data, dtype, i, v[0]);
  } else if constexpr (kCount == 4) {
    *reinterpret_cast<uint4*>(static_cast<float*>(data) + i) = pack_vector<F32>(v);
  } else {
    void* first = static_cast<uint16_t*>(data) + i;
    dtype == DType::kBf16 ? store_pairs<Bf16>(first, v) : store_pairs<F16>(first, v);
  }
}

// The row of this warp or block; rows past the last belong to warps that share no barrier.
FP_DEVICE long long row_index() {
  return static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y;
}

template <class Element>
using MeanSum = std::conditional_t<Element::kBytes == 4, PairSum, float>;

FP_DEVICE PairSum mean_of(const PairSum& sum, float count) { return sum.divided_by(count); }
FP_DEVICE PairSum mean_of(float sum, float count) { return {sum / count, 0.f}; }
FP_DEVICE void accumulate(PairSum& sum, float x) { sum.add(x); }
FP_DEVICE void accumulate(float& sum, float x) { sum += x; }

template <class Row>
FP_DEVICE void layer_norm(const LayerNormArgs& args) {
  using Sum = MeanSum<typename Row::Element>;
  constexpr int kCount = Row::kCount;
  __shared__ Sum mean_slots[32];
  __shared__ float variance_slots[32];
  const long long row = row_index();
  if (row >= args.rows) return;
  const int width = static_cast<int>(args.width);
  const Row x(args.x, args.dtype, row * args.x_row_stride, width);

  Sum sum = zero_of(Sum{});
  x.visit([&](int, const float (&v)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) accumulate(sum, v[i]);
  });
  const PairSum mean = mean_of(row_sum(sum, mean_slots), static_cast<float>(width));
  float squares = 0.f;
  x.visit([&](int, const float (&v)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const float deviation = deviation_from(v[i], mean);
      squares = fmaf(deviation, deviation, squares);
    }
  });
  const float variance = row_sum(squares, variance_slots) / static_cast<float>(width);
  const float inverse = 1.f / sqrtf(variance + args.eps);

  const long long modulation_row = static_cast<unsigned>(row) /
                                   static_cast<unsigned>(args.rows_per_modulation) *
                                   args.modulation_row_stride;
  x.visit([&](int column, float (&v)[kCount]) {
    float operand[kCount];
#pragma unroll
    for (int i = 0; i < kCount; ++i) v[i] = deviation_from(v[i], mean) * inverse;
    if (args.weight) {
      load_columns(operand, args.weight, args.affine_dtype, column);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] *= operand[i];
    }
    if (args.bias) {
      load_columns(operand, args.bias, args.affine_dtype, column);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += operand[i];
    }
    if (args.scale) {
      load_columns(operand, args.scale, args.modulation_dtype, modulation_row + column);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] = fmaf(v[i], operand[i], v[i]);
    }
    if (args.shift) {
      load_columns(operand, args.shift, args.modulation_dtype, modulation_row + column);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] += operand[i];
    }
    store_columns(args.out, args.dtype, row * width + column, v);
  });
}

template <class Row>
FP_DEVICE void rms_norm(const RmsNormArgs& args) {
  constexpr int kCount = Row::kCount;
  __shared__ float slots[32];
  const long long row = row_index();
  if (row >= args.rows) return;
  const int width = static_cast<int>(args.width);
  const Row x(args.x, args.dtype, row * args.x_row_stride, width);
  float squares = 0.f;
  x.visit([&](int, const float (&v)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) squares = fmaf(v[i], v[i], squares);
  });
  const float inverse = 1.f / sqrtf(row_sum(squares, slots) / static_cast<float>(width) + args.eps);
  x.visit([&](int column, float (&v)[kCount]) {
    float weight[kCount];
    load_columns(weight, args.weight, args.weight_dtype, column);
#pragma unroll
    for (int i = 0; i < kCount; ++i) v[i] *= inverse * weight[i];
    store_columns(args.out, args.dtype, row * width + column, v);
  });
}

// --- groups ----------------------------------------------------------------------------------------

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
#define NORM_KERNEL(name, threads, Args, ...)                         \
  extern "C" __global__ void __launch_bounds__(framepack::threads, 1) \
      name(const framepack::Args args) {                              \
    framepack::__VA_ARGS__(args);                                     \
  }

NORM_KERNEL(layer_norm_f32, kNormMaxThreads, LayerNormArgs,
            layer_norm<framepack::HeldRow<framepack::F32>>)
NORM_KERNEL(layer_norm_f16, kNormMaxThreads, LayerNormArgs,
            layer_norm<framepack::HeldRow<framepack::F16>>)
NORM_KERNEL(layer_norm_bf16, kNormMaxThreads, LayerNormArgs,
            layer_norm<framepack::HeldRow<framepack::Bf16>>)
NORM_KERNEL(layer_norm_any, kNormAnyThreads, LayerNormArgs, layer_norm<framepack::LooseRow>)
NORM_KERNEL(rms_norm_f32, kNormMaxThreads, RmsNormArgs,
            rms_norm<framepack::HeldRow<framepack::F32>>)
NORM_KERNEL(rms_norm_f16, kNormMaxThreads, RmsNormArgs,
            rms_norm<framepack::HeldRow<framepack::F16>>)
NORM_KERNEL(rms_norm_bf16, kNormMaxThreads, RmsNormArgs,
            rms_norm<framepack::HeldRow<framepack::Bf16>>)
NORM_KERNEL(rms_norm_any, kNormAnyThreads, RmsNormArgs, rms_norm<framepack::LooseRow>)
NORM_KERNEL(group_norm_statistics_f32, kGroupNormThreads, GroupNormArgs,
            group_norm_statistics<framepack::F32>)
NORM_KERNEL(group_norm_statistics_f16, kGroupNormThreads, GroupNormArgs,
            group_norm_statistics<framepack::F16>)
NORM_KERNEL(group_norm_statistics_bf16, kGroupNormThreads, GroupNormArgs,
            group_norm_statistics<framepack::Bf16>)
NORM_KERNEL(group_norm_statistics_any, kGroupNormThreads, GroupNormArgs, group_norm_statistics_any)
NORM_KERNEL(group_norm_merge, kGroupNormMergeThreads, GroupNormArgs, group_norm_merge)
NORM_KERNEL(group_norm_apply_f32, kGroupNormThreads, GroupNormArgs,
            group_norm_apply<framepack::F32>)
NORM_KERNEL(group_norm_apply_f16, kGroupNormThreads, GroupNormArgs,
            group_norm_apply<framepack::F16>)
NORM_KERNEL(group_norm_apply_bf16, kGroupNormThreads, GroupNormArgs,
            group_norm_apply<framepack::Bf16>)
NORM_KERNEL(group_norm_apply_any, kGroupNormThreads, GroupNormArgs, group_norm_apply_any)
#undef NORM_KERNEL
