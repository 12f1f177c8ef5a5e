// Scalar conversions between f32 and the storage types. Every narrowing rounds to nearest, ties to
// even.
//
// The functions are `static inline`: some callers are compiled for one instruction set only, and a
// weak inline symbol compiled with AVX-512 could be the copy that the linker keeps for everybody.
#pragma once
#include <cstdint>
#include <cstring>

#include "../../kernels/device/dtype.h"

namespace framepack {

static inline uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float_of_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

static inline float bf16_to_f32(uint16_t bits) { return float_of_bits(uint32_t{bits} << 16); }

static inline uint16_t f32_to_bf16(float value) {
  const uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float f16_to_f32(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return float_of_bits(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude >= 0x400u) return float_of_bits(sign | ((magnitude << 13) + 0x38000000u));
  // Subnormal: multiples of 2^-24, exact in f32.
  const float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
  return float_of_bits(sign | bits_of(subnormal));
}

// Finite values of 65520 and more become infinity, as IEEE 754 asks.
static inline uint16_t f32_to_f16(float value) {
  const uint32_t bits = bits_of(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));
  }
  if (magnitude >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {
    // Below 2^-14 the result is subnormal: one ulp of 0.5f is 2^-24, so this addition rounds to the
    // right place.
    const uint32_t rounded = bits_of(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
    return static_cast<uint16_t>(sign | rounded);
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

// E4M3 without infinities (OCP "e4m3fn"): bias 7, largest finite 448, NaN is S.1111.111.
static inline float f8e4m3_to_f32(uint8_t bits) {
  const uint32_t sign = uint32_t{bits & 0x80u} << 24;
  const uint32_t magnitude = bits & 0x7fu;
  if (magnitude == 0x7fu) return float_of_bits(sign | 0x7fc00000u);
  if (magnitude >= 8u) return float_of_bits(sign | ((magnitude << 20) + (120u << 23)));
  const float subnormal = static_cast<float>(magnitude) * 0x1p-9f;
  return float_of_bits(sign | bits_of(subnormal));
}

// Saturates to +-448, infinities included; NaN stays NaN.
static inline uint8_t f32_to_f8e4m3(float value) {
  const uint32_t bits = bits_of(value);
  const uint32_t sign = (bits >> 24) & 0x80u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint8_t>(sign | 0x7fu);
  if (magnitude >= 0x43e00000u) return static_cast<uint8_t>(sign | 0x7eu);
  if (magnitude < 0x3c800000u) {
    // Below 2^-6: one ulp of 2^14 is 2^-9, the step of the subnormals.
    const uint32_t rounded = bits_of(float_of_bits(magnitude) + 0x1p14f) - 0x46800000u;
    return static_cast<uint8_t>(sign | rounded);
  }
  const uint32_t rounded = magnitude + 0x7ffffu + ((magnitude >> 20) & 1u);
  return static_cast<uint8_t>(sign | ((rounded >> 20) - (120u << 3)));
}

// Truncates towards zero and saturates; NaN becomes 0.
static inline int32_t f32_to_i32(float value) {
  if (value != value) return 0;
  if (value >= 0x1p31f) return INT32_MAX;
  if (value <= -0x1p31f) return INT32_MIN;
  return static_cast<int32_t>(value);
}

static inline uint8_t f32_to_u8(float value) {
  if (!(value > 0.0f)) return 0;
  return value >= 255.0f ? uint8_t{255} : static_cast<uint8_t>(value);
}

// Element `index` of `data`, widened. Exact for every type but i32 beyond 2^24.
static inline float load_f32(const void* data, DType dtype, int64_t index) {
  switch (dtype) {
    case DType::kF32: return static_cast<const float*>(data)[index];
    case DType::kF16: return f16_to_f32(static_cast<const uint16_t*>(data)[index]);
    case DType::kBf16: return bf16_to_f32(static_cast<const uint16_t*>(data)[index]);
    case DType::kF8E4M3: return f8e4m3_to_f32(static_cast<const uint8_t*>(data)[index]);
    case DType::kI32: return static_cast<float>(static_cast<const int32_t*>(data)[index]);
    case DType::kU8: return static_cast<float>(static_cast<const uint8_t*>(data)[index]);
  }
  return 0.0f;
}

// Rounds `value` to `dtype` and writes it to element `index` of `data`.
static inline void store_f32(void* data, DType dtype, int64_t index, float value) {
  switch (dtype) {
    case DType::kF32: static_cast<float*>(data)[index] = value; return;
    case DType::kF16: static_cast<uint16_t*>(data)[index] = f32_to_f16(value); return;
    case DType::kBf16: static_cast<uint16_t*>(data)[index] = f32_to_bf16(value); return;
    case DType::kF8E4M3: static_cast<uint8_t*>(data)[index] = f32_to_f8e4m3(value); return;
    case DType::kI32: static_cast<int32_t*>(data)[index] = f32_to_i32(value); return;
    case DType::kU8: static_cast<uint8_t*>(data)[index] = f32_to_u8(value); return;
  }
}

}  // namespace framepack
