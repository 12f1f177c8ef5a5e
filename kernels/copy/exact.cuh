// Conversions of single elements between all dtypes, equal to the host's (native/core/dtype.h) in every
// bit. They differ from those of device/convert.cuh in NaN, whose payload survives, and in knowing e4m3
// and integers.
#pragma once
#include "../device/convert.cuh"

namespace framepack::exact {

FP_DEVICE float widen_f16(uint32_t bits) {
  if ((bits & 0x7fffu) > 0x7c00u) {
    return __uint_as_float((bits & 0x8000u) << 16 | 0x7f800000u | (bits & 0x3ffu) << 13);
  }
  return F16::low(bits);
}

FP_DEVICE float widen_f8(uint32_t bits) {
  const uint32_t sign = (bits & 0x80u) << 24, magnitude = bits & 0x7fu;
  if (magnitude == 0x7fu) return __uint_as_float(sign | 0x7fc00000u);
  if (magnitude >= 8u) return __uint_as_float(sign | ((magnitude << 20) + (120u << 23)));
  return __uint_as_float(sign | __float_as_uint(static_cast<float>(magnitude) * 0x1p-9f));
}

FP_DEVICE uint32_t narrow_bf16(float value) {
  const uint32_t bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40u;
  return Bf16::pack(value, 0.f) & 0xffffu;
}

FP_DEVICE uint32_t narrow_f16(float value) {
  const uint32_t bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return (bits >> 16 & 0x8000u) | 0x7e00u | (bits >> 13 & 0x1ffu);
  }
  return F16::pack(value, 0.f) & 0xffffu;
}

// Saturates to +-448; NaN stays NaN.
FP_DEVICE uint32_t narrow_f8(float value) {
  const uint32_t bits = __float_as_uint(value);
  const uint32_t sign = bits >> 24 & 0x80u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7fu;
  if (magnitude >= 0x43e00000u) return sign | 0x7eu;
  if (magnitude < 0x3c800000u) {
    // Below 2^-6 the result is subnormal: one unit in the last place of 2^14 is 2^-9, the step of
    // subnormals.
    return sign | (__float_as_uint(__uint_as_float(magnitude) + 0x1p14f) - 0x46800000u);
  }
  const uint32_t rounded = magnitude + 0x7ffffu + (magnitude >> 20 & 1u);
  return sign | ((rounded >> 20) - (120u << 3));
}

// The bits of an element, in the low bytes, <-> f32.
FP_DEVICE float widen(uint32_t bits, DType dtype) {
  switch (dtype) {
    case DType::kF16: return widen_f16(bits);
    case DType::kBf16: return Bf16::low(bits);
    case DType::kF8E4M3: return widen_f8(bits);
    case DType::kI32: return static_cast<float>(static_cast<int>(bits));
    case DType::kU8: return static_cast<float>(bits);
    default: return __uint_as_float(bits);
  }
}

FP_DEVICE uint32_t narrow(float value, DType dtype) {
  switch (dtype) {
    case DType::kF16: return narrow_f16(value);
    case DType::kBf16: return narrow_bf16(value);
    case DType::kF8E4M3: return narrow_f8(value);
    // cvt.rzi saturates and makes 0 of NaN.
    case DType::kI32: return static_cast<uint32_t>(static_cast<int>(value));
    case DType::kU8: return static_cast<uint32_t>(fminf(fmaxf(value, 0.f), 255.f));
    default: return __float_as_uint(value);
  }
}

// Equal types keep their bits: f32 has no room for every i32.
FP_DEVICE uint32_t convert(uint32_t bits, DType from, DType to) {
  return from == to ? bits : narrow(widen(bits, from), to);
}

FP_DEVICE int bytes_of(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kI32    ? 4
         : dtype == DType::kF16 || dtype == DType::kBf16 ? 2
                                                         : 1;
}

FP_DEVICE uint32_t load_bits(const void* data, int bytes, long long i) {
  if (bytes == 4) return static_cast<const uint32_t*>(data)[i];
  if (bytes == 2) return static_cast<const uint16_t*>(data)[i];
  return static_cast<const uint8_t*>(data)[i];
}

FP_DEVICE void store_bits(void* data, int bytes, long long i, uint32_t bits) {
  if (bytes == 4) {
    static_cast<uint32_t*>(data)[i] = bits;
  } else if (bytes == 2) {
    static_cast<uint16_t*>(data)[i] = static_cast<uint16_t>(bits);
  } else {
    static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(bits);
  }
}

// Elements 4 i .. 4 i + 3 in one access.
FP_DEVICE void load_four(uint32_t (&bits)[4], const void* data, int bytes, long long i) {
  if (bytes == 4) {
    const uint4 four = static_cast<const uint4*>(data)[i];
    bits[0] = four.x, bits[1] = four.y, bits[2] = four.z, bits[3] = four.w;
  } else if (bytes == 2) {
    const uint2 two = static_cast<const uint2*>(data)[i];
    bits[0] = two.x & 0xffffu, bits[1] = two.x >> 16, bits[2] = two.y & 0xffffu;
    bits[3] = two.y >> 16;
  } else {
    const uint32_t one = static_cast<const uint32_t*>(data)[i];
#pragma unroll
    for (int j = 0; j < 4; ++j) bits[j] = one >> 8 * j & 0xffu;
  }
}

FP_DEVICE void store_four(void* data, int bytes, long long i, const uint32_t (&bits)[4]) {
  if (bytes == 4) {
    static_cast<uint4*>(data)[i] = {bits[0], bits[1], bits[2], bits[3]};
  } else if (bytes == 2) {
    static_cast<uint2*>(data)[i] = {bits[0] | bits[1] << 16, bits[2] | bits[3] << 16};
  } else {
    static_cast<uint32_t*>(data)[i] = bits[0] | bits[1] << 8 | bits[2] << 16 | bits[3] << 24;
  }
}

}  // namespace framepack::exact
