// Four f32 lanes of aarch64, whose base architecture has them. The twin of simd_avx2.h: the same names,
// so that every kernel is written once.
#pragma once
#include <arm_neon.h>

namespace framepack::cpu::isa {
namespace {

constexpr int kLanes = 4;
using Float = float __attribute__((vector_size(16)));
using Int = int __attribute__((vector_size(16)));
using Double = double __attribute__((vector_size(16)));

inline Float fma(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }
// b where either is NaN.
inline Float maximum(Float a, Float b) { return a > b ? a : b; }
// Even lanes a * b - c, odd lanes a * b + c.
inline Float fma_subtract_add(Float a, Float b, Float c) {
  constexpr int kSign = -2147483647 - 1;
  const Int flip = {kSign, 0, kSign, 0};
  return fma(a, b, __builtin_bit_cast(Float, __builtin_bit_cast(Int, c) ^ flip));
}
inline Float swap_pairs(Float x) { return vrev64q_f32(x); }

inline Double low_double(Float x) { return vcvt_f64_f32(vget_low_f32(x)); }
inline Double high_double(Float x) { return vcvt_high_f64_f32(x); }

// count lanes; the rest read as zero and are not written.
inline Float load(const float* x, int count) {
  if (count == kLanes) return vld1q_f32(x);
  Float lanes{};
  __builtin_memcpy(&lanes, x, 4 * static_cast<unsigned long>(count));
  return lanes;
}
inline void store(Float x, float* out, int count) {
  if (count == kLanes) {
    vst1q_f32(out, x);
  } else {
    __builtin_memcpy(out, &x, 4 * static_cast<unsigned long>(count));
  }
}

// count / 2 values, each in two adjacent lanes.
inline Float load_doubled(const float* x, int count) {
  const Float values = load(x, count / 2);
  return vzip1q_f32(values, values);
}

inline uint16x4_t load_16_bits(const unsigned short* x, int count) {
  if (count == kLanes) return vld1_u16(x);
  uint16x4_t lanes = vdup_n_u16(0);
  __builtin_memcpy(&lanes, x, 2 * static_cast<unsigned long>(count));
  return lanes;
}
inline void store_16_bits(uint16x4_t x, unsigned short* out, int count) {
  if (count == kLanes) {
    vst1_u16(out, x);
  } else {
    __builtin_memcpy(out, &x, 2 * static_cast<unsigned long>(count));
  }
}

inline Int load_int(const unsigned short* x, int count) {
  return __builtin_bit_cast(Int, vmovl_u16(load_16_bits(x, count)));
}
inline void store_int(Int x, unsigned short* out, int count) {
  store_16_bits(vmovn_u32(__builtin_bit_cast(uint32x4_t, x)), out, count);
}
inline Int load_int(const unsigned char* x, int count) {
  uint8x8_t lanes = vdup_n_u8(0);
  __builtin_memcpy(&lanes, x, static_cast<unsigned long>(count));
  return __builtin_bit_cast(Int, vmovl_u16(vget_low_u16(vmovl_u8(lanes))));
}
inline void store_int(Int x, unsigned char* out, int count) {
  const uint16x4_t words = vmovn_u32(__builtin_bit_cast(uint32x4_t, x));
  const uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
  __builtin_memcpy(out, &bytes, static_cast<unsigned long>(count));
}

inline Float load_f16(const unsigned short* x, int count) {
  return vcvt_f32_f16(__builtin_bit_cast(float16x4_t, load_16_bits(x, count)));
}
inline void store_f16(Float x, unsigned short* out, int count) {
  store_16_bits(__builtin_bit_cast(uint16x4_t, vcvt_f16_f32(x)), out, count);
}

}  // namespace
}  // namespace framepack::cpu::isa
