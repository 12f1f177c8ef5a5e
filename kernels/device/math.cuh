// Activations and reductions over lanes.
#pragma once
#include "ptx.cuh"

namespace framepack {

constexpr float kLog2E = 1.4426950408889634f;
constexpr uint32_t kAllLanes = 0xffffffffu;

FP_DEVICE float sigmoid(float x) { return ptx::rcp(1.f + ptx::ex2(-kLog2E * x)); }

// 0.5 x (1 + tanh u) = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
FP_DEVICE float gelu_tanh(float x) {
  constexpr float kTwoSqrtTwoOverPi = 1.5957691216057308f;
  return x * sigmoid(kTwoSqrtTwoOverPi * (x + 0.044715f * x * x * x));
}

FP_DEVICE float silu(float x) { return x * sigmoid(x); }

FP_DEVICE float quick_gelu(float x) { return x * sigmoid(1.702f * x); }

// Over the 4 lanes that hold one row of an accumulator fragment.
FP_DEVICE float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, 1));
  return fmaxf(v, __shfl_xor_sync(kAllLanes, v, 2));
}

FP_DEVICE float quad_sum(float v) {
  v += __shfl_xor_sync(kAllLanes, v, 1);
  return v + __shfl_xor_sync(kAllLanes, v, 2);
}

FP_DEVICE float warp_max(float v) {
#pragma unroll
  for (int distance = 16; distance > 0; distance >>= 1) {
    v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, distance));
  }
  return v;
}

FP_DEVICE float warp_sum(float v) {
#pragma unroll
  for (int distance = 16; distance > 0; distance >>= 1) {
    v += __shfl_xor_sync(kAllLanes, v, distance);
  }
  return v;
}

}  // namespace framepack
