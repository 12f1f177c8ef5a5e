// Results of tensor.cu's half_kernel, one per 16-bit pattern.
#pragma once

#include <cstdint>

struct HalfResults {
  float half_to_float, bf16_to_float;
  uint32_t packed_bf16, packed_half, bf16_pair_fma, bf16_pair_max;
  uint16_t float_to_half, float_to_bf16, half_fma, bf16_fma, half_sum, half_is_less;
};
