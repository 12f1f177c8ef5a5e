// Sums and activations whose error stays near one unit of f32, without f64 arithmetic.
#pragma once
#include "math.cuh"

namespace framepack {

// A sum with the rounding errors of its additions beside it: Knuth's two-sum, errors summed in f32
// (Ogita, Rump, Oishi, "Accurate sum and dot product", algorithm Sum2). As good as f64 for any length
// of use here. Infinities and NaN live in `sum`; they turn `error` into NaN. An aggregate without
// initialisers, so that shared memory may hold it.
struct PairSum {
  float sum, error;

  FP_DEVICE void add(float x) {
    const float next = sum + x, added = next - sum;
    error += (sum - (next - added)) + (x - added);
    sum = next;
  }
  FP_DEVICE void add(const PairSum& other) {
    add(other.sum);
    error += other.error;
  }
  FP_DEVICE float value() const { return isfinite(error) ? sum + error : sum; }

  // The quotient of the whole sum; the remainder of the first division corrects it.
  FP_DEVICE PairSum divided_by(float divisor) const {
    const float quotient = value() / divisor;
    const float remainder = fmaf(-quotient, divisor, sum) + error;
    return {quotient, isfinite(remainder) ? remainder / divisor : 0.f};
  }
};

// (x - mean) where the mean carries more than 24 bits.
FP_DEVICE float deviation_from(float x, const PairSum& mean) { return (x - mean.sum) - mean.error; }

FP_DEVICE PairSum shuffle_xor(const PairSum& value, int distance) {
  return {__shfl_xor_sync(kAllLanes, value.sum, distance),
          __shfl_xor_sync(kAllLanes, value.error, distance)};
}

FP_DEVICE PairSum warp_sum(PairSum total) {
#pragma unroll
  for (int distance = 16; distance > 0; distance >>= 1) total.add(shuffle_xor(total, distance));
  return total;
}

// Sums of (x - shift) and (x - shift)^2. With the shift among the data neither cancels badly.
struct alignas(16) Moments {
  PairSum first, second;

  FP_DEVICE void add(float deviation) {
    first.add(deviation);
    second.add(__fmul_rn(deviation, deviation));  // one value, whatever the sums do with it
  }
  FP_DEVICE void add(const Moments& other) {
    first.add(other.first);
    second.add(other.second);
  }
  // Sum of (x - mean)^2 = second - first^2 / count.
  FP_DEVICE float squares_around_mean(float count) const {
    const PairSum mean = first.divided_by(count);
    const float product = __fmul_rn(first.sum, mean.sum);
    const float rest =
        fmaf(first.sum, mean.sum, -product) + first.error * mean.sum + first.sum * mean.error;
    const float squares = (second.sum - product) + (second.error - rest);
    return squares < 0.f ? 0.f : squares;  // lets NaN through
  }
};

FP_DEVICE Moments warp_sum(const Moments& total) {
  return {warp_sum(total.first), warp_sum(total.second)};
}

// Activations for f32 results: x / (1 + e^-u) with expf, which keeps the low bits of its argument.
namespace accurate {

FP_DEVICE float sigmoid_product(float x, float argument) { return x / (1.f + expf(-argument)); }

FP_DEVICE float gelu_tanh(float x) {
  constexpr float kTwoSqrtTwoOverPi = 1.5957691216057308f;
  return sigmoid_product(x, kTwoSqrtTwoOverPi * fmaf(0.044715f * x * x, x, x));
}

FP_DEVICE float silu(float x) { return sigmoid_product(x, x); }

FP_DEVICE float quick_gelu(float x) { return sigmoid_product(x, 1.702f * x); }

}  // namespace accurate

}  // namespace framepack
