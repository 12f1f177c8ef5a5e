// layer_norm  y = ((x - mean) / sqrt(var + eps) * weight + bias) * (1 + scale) + shift
// rms_norm    y = x / sqrt(mean(x^2) + eps) * weight
//
// Kernels    <layer|rms>_norm_<f32|f16|bf16>   rows in 16-byte pieces
//            <layer|rms>_norm_any              rows of any width and alignment
// Layout     rows [rows, D] with a stride, D contiguous; out contiguous.
// Mapping    one warp per row (4 rows per block) up to 128 pieces, else one block per row. A thread
//            holds its at most 4 pieces in registers through all passes, so x is read once; the other
//            kernels read the row again, from cache.
// Shared     one partial sum per warp and reduction, at most 384 bytes.
// Numerics   two passes, biased variance. The mean of f32 data is an f32 pair (48 bits), so that rows
//            far from zero lose nothing. The order of a sum depends on shape and alignment alone.
// Cost       2 D elements moved per row and little else: bound by memory.
#include <type_traits>

#include "../device/accurate.cuh"
#include "../device/convert.cuh"
#include "norm_config.h"

namespace framepack {
namespace {

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
#undef NORM_KERNEL
