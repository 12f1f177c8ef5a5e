// Element types and conversions. Kernels compute in f32; a 16-bit type is how values are stored and what
// the tensor cores multiply.
#pragma once
#include "dtype.h"
#include "ptx.cuh"

namespace framepack {

struct Bf16 {
  static constexpr DType kDType = DType::kBf16;
  static constexpr int kBytes = 2;
  FP_DEVICE static uint32_t pack(float low, float high) { return ptx::cvt_bf16x2(low, high); }
  FP_DEVICE static float low(uint32_t pair) { return __uint_as_float(pair << 16); }
  FP_DEVICE static float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }
  FP_DEVICE static void mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    ptx::mma_bf16(d, a, b0, b1);
  }
  // Two e4m3 bytes in the high halves of two 16-bit lanes. The seven magnitude bits become the low
  // exponent and high mantissa bits; the product with 2^(127 - 7) is exact, subnormals included.
  FP_DEVICE static uint32_t widen_e4m3(uint32_t spread) {
    return ptx::fma_bf16x2((spread & 0x80008000u) | (spread & 0x7f007f00u) >> 4, 0x7b807b80u,
                           0x80008000u);
  }
};

struct F16 {
  static constexpr DType kDType = DType::kF16;
  static constexpr int kBytes = 2;
  FP_DEVICE static uint32_t pack(float low, float high) { return ptx::cvt_f16x2(low, high); }
  FP_DEVICE static float low(uint32_t pair) {
    return ptx::cvt_f32_f16(static_cast<uint16_t>(pair));
  }
  FP_DEVICE static float high(uint32_t pair) {
    return ptx::cvt_f32_f16(static_cast<uint16_t>(pair >> 16));
  }
  FP_DEVICE static void mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    ptx::mma_f16(d, a, b0, b1);
  }
  FP_DEVICE static uint32_t widen_e4m3(uint32_t spread) {  // exponent bias 15 - 7: times 2^8
    return ptx::fma_f16x2((spread & 0x80008000u) | (spread & 0x7f007f00u) >> 1, 0x5c005c00u,
                          0x80008000u);
  }
};

struct F32 {
  static constexpr DType kDType = DType::kF32;
  static constexpr int kBytes = 4;
};

// Weights only: e4m3 without infinities. The two NaN codes become +-480; the quantiser never writes them.
struct F8 {
  static constexpr DType kDType = DType::kF8E4M3;
  static constexpr int kBytes = 1;
};

// Four e4m3 bytes -> two pairs of Element: {byte 0, byte 1} and {byte 2, byte 3}.
template <class Element>
FP_DEVICE void widen_e4m3(uint32_t& low, uint32_t& high, uint32_t bytes) {
  low = Element::widen_e4m3(__byte_perm(bytes, 0, 0x1404));
  high = Element::widen_e4m3(__byte_perm(bytes, 0, 0x3424));
}

// One element of a float dtype known at run time.
FP_DEVICE float load_element(const void* data, DType dtype, long long i) {
  if (dtype == DType::kF32) return static_cast<const float*>(data)[i];
  const uint32_t bits = static_cast<const uint16_t*>(data)[i];
  return dtype == DType::kBf16 ? Bf16::low(bits) : F16::low(bits);
}

FP_DEVICE float load_weight(const void* data, DType dtype, long long i) {
  if (dtype != DType::kF8E4M3) return load_element(data, dtype, i);
  const uint32_t byte = static_cast<const uint8_t*>(data)[i];
  return Bf16::low(Bf16::widen_e4m3(byte << 8));
}

FP_DEVICE void store_element(void* data, DType dtype, long long i, float value) {
  if (dtype == DType::kF32) {
    static_cast<float*>(data)[i] = value;
    return;
  }
  const uint32_t bits = dtype == DType::kBf16 ? Bf16::pack(value, 0.f) : F16::pack(value, 0.f);
  static_cast<uint16_t*>(data)[i] = static_cast<uint16_t>(bits);
}

// Elements of one 32-bit pair after the other <-> f32.
template <class Element, int kCount>
FP_DEVICE void unpack(float (&v)[kCount], const uint32_t (&pairs)[kCount / 2]) {
#pragma unroll
  for (int i = 0; i < kCount / 2; ++i) {
    v[2 * i] = Element::low(pairs[i]);
    v[2 * i + 1] = Element::high(pairs[i]);
  }
}

template <class Element, int kCount>
FP_DEVICE void load_pairs(float (&v)[kCount], const void* first) {
  uint32_t pairs[kCount / 2];
  if constexpr (kCount == 8) {
    const uint4 packed = *static_cast<const uint4*>(first);
    pairs[0] = packed.x, pairs[1] = packed.y, pairs[2] = packed.z, pairs[3] = packed.w;
  } else {
    const uint2 packed = *static_cast<const uint2*>(first);
    pairs[0] = packed.x, pairs[1] = packed.y;
  }
  unpack<Element>(v, pairs);
}

template <class Element, int kCount>
FP_DEVICE void store_pairs(void* first, const float (&v)[kCount]) {
  const uint32_t a = Element::pack(v[0], v[1]), b = Element::pack(v[2], v[3]);
  if constexpr (kCount == 8) {
    *static_cast<uint4*>(first) = {a, b, Element::pack(v[4], v[5]), Element::pack(v[6], v[7])};
  } else {
    *static_cast<uint2*>(first) = {a, b};
  }
}

template <int kCount>
FP_DEVICE bool is_span_aligned(const void* first, DType dtype) {
  static_assert(kCount == 4 || kCount == 8);
  const uintptr_t bytes = dtype == DType::kF32 ? 16 : kCount * 2;
  return (reinterpret_cast<uintptr_t>(first) & (bytes - 1)) == 0;
}

// Elements [i, i + count) of a float dtype known at run time, zeros after them. Whole aligned spans are one
// vector load.
template <int kCount>
FP_DEVICE void load_span(float (&v)[kCount], const void* data, DType dtype, long long i,
                         int count) {
  const void* first = static_cast<const char*>(data) + i * (dtype == DType::kF32 ? 4 : 2);
  if (count >= kCount && is_span_aligned<kCount>(first, dtype)) {
    if (dtype == DType::kBf16) {
      load_pairs<Bf16>(v, first);
    } else if (dtype == DType::kF16) {
      load_pairs<F16>(v, first);
    } else {
#pragma unroll
      for (int j = 0; j < kCount; j += 4) {
        const float4 four = *reinterpret_cast<const float4*>(static_cast<const float*>(first) + j);
        v[j] = four.x, v[j + 1] = four.y, v[j + 2] = four.z, v[j + 3] = four.w;
      }
    }
    return;
  }
#pragma unroll
  for (int j = 0; j < kCount; ++j) v[j] = j < count ? load_element(data, dtype, i + j) : 0.f;
}

template <int kCount>
FP_DEVICE void store_span(void* data, DType dtype, long long i, int count,
                          const float (&v)[kCount]) {
  void* first = static_cast<char*>(data) + i * (dtype == DType::kF32 ? 4 : 2);
  if (count >= kCount && is_span_aligned<kCount>(first, dtype)) {
    if (dtype == DType::kBf16) {
      store_pairs<Bf16>(first, v);
    } else if (dtype == DType::kF16) {
      store_pairs<F16>(first, v);
    } else {
#pragma unroll
      for (int j = 0; j < kCount; j += 4) {
        *reinterpret_cast<float4*>(static_cast<float*>(first) + j) = {v[j], v[j + 1], v[j + 2],
                                                                      v[j + 3]};
      }
    }
    return;
  }
#pragma unroll
  for (int j = 0; j < kCount; ++j) {
    if (j < count) store_element(data, dtype, i + j, v[j]);
  }
}

// Elements of one 16-byte access: 4 of F32, 8 of a 16-bit type.
template <class Element>
constexpr int kVectorCount = 16 / Element::kBytes;

template <class Element>
FP_DEVICE void unpack_vector(float (&v)[kVectorCount<Element>], uint4 bits) {
  if constexpr (Element::kBytes == 4) {
    v[0] = __uint_as_float(bits.x), v[1] = __uint_as_float(bits.y);
    v[2] = __uint_as_float(bits.z), v[3] = __uint_as_float(bits.w);
  } else {
    const uint32_t pairs[4] = {bits.x, bits.y, bits.z, bits.w};
    unpack<Element>(v, pairs);
  }
}

template <class Element>
FP_DEVICE uint4 pack_vector(const float (&v)[kVectorCount<Element>]) {
  if constexpr (Element::kBytes == 4) {
    return {__float_as_uint(v[0]), __float_as_uint(v[1]), __float_as_uint(v[2]),
            __float_as_uint(v[3])};
  } else {
    return {Element::pack(v[0], v[1]), Element::pack(v[2], v[3]), Element::pack(v[4], v[5]),
            Element::pack(v[6], v[7])};
  }
}

}  // namespace framepack
