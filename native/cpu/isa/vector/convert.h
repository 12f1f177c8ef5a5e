// Float types to and from f32 lanes, round to nearest even.
#pragma once
#include "lanes.h"

namespace framepack::cpu::isa {
namespace {

inline Float from_f8(Int code) {
  const Int magnitude = code & 0x7f;
  const Int normal = (magnitude << 20) + (120 << 23);
  // By conversion, not as an f32 subnormal times 2^120: some processors trap into microcode there.
  const Int subnormal = as_int(__builtin_convertvector(magnitude, Float) * 0x1p-9f);
  Int bits = magnitude < 8 ? subnormal : normal;
  bits = magnitude == 0x7f ? Int{} + 0x7fc00000 : bits;
  return as_float(bits | (code & 0x80) << 24);
}

inline Int to_f8(Float x) {
  const Int bits = as_int(absolute(x));
  const Int largest = Int{} + 0x43e00000;  // 448
  const Int capped = bits > largest ? largest : bits;
  Int code = ((capped + 0x7ffff + (capped >> 20 & 1)) >> 20) - (120 << 3);
  // Below the smallest normal number 2^-6 the step is 2^-9, which is one unit in the last place of
  // 2^14.
  const Float magnitude = as_float(capped);
  const Int steps = as_int(magnitude + 16384.0f) - as_int(splat(16384.0f));
  code = magnitude < 0x1p-6f ? steps : code;
  code = bits > 0x7f800000 ? Int{} + 0x7f : code;
  return code | (as_int(x) >> 24 & 0x80);
}

inline Int to_bf16(Float x) {
  const Int bits = as_int(x);
  const Int is_nan = (bits & 0x7fffffff) > 0x7f800000;
  const Int number = bits & ~is_nan;
  const Int rounded = (number + 0x7fff + (number >> 16 & 1)) >> 16 & 0xffff;
  const Int quiet = (bits >> 16 & 0xffff) | 0x40;
  return is_nan ? quiet : rounded;
}

inline void widen(const void* x, DType dtype, float* out, long long count) {
  const auto* words = static_cast<const unsigned short*>(x);
  const auto* bytes = static_cast<const unsigned char*>(x);
  switch (dtype) {
    case DType::kF32: __builtin_memcpy(out, x, 4 * static_cast<unsigned long>(count)); break;
    case DType::kF16:
      for_lanes(count, [=](long long i, int n) { store(load_f16(words + i, n), out + i, n); });
      break;
    case DType::kBf16:
      for_lanes(count, [=](long long i, int n) {
        store(as_float(load_int(words + i, n) << 16), out + i, n);
      });
      break;
    case DType::kF8E4M3:
      for_lanes(count,
                [=](long long i, int n) { store(from_f8(load_int(bytes + i, n)), out + i, n); });
      break;
    case DType::kI32:
    case DType::kU8: __builtin_unreachable();
  }
}

inline void narrow(const float* x, void* out, DType dtype, long long count) {
  auto* words = static_cast<unsigned short*>(out);
  auto* bytes = static_cast<unsigned char*>(out);
  switch (dtype) {
    case DType::kF32: __builtin_memcpy(out, x, 4 * static_cast<unsigned long>(count)); break;
    case DType::kF16:
      for_lanes(count, [=](long long i, int n) { store_f16(load(x + i, n), words + i, n); });
      break;
    case DType::kBf16:
      for_lanes(count,
                [=](long long i, int n) { store_int(to_bf16(load(x + i, n)), words + i, n); });
      break;
    case DType::kF8E4M3:
      for_lanes(count, [=](long long i, int n) { store_int(to_f8(load(x + i, n)), bytes + i, n); });
      break;
    case DType::kI32:
    case DType::kU8: __builtin_unreachable();
  }
}

inline void quantize(const float* w, float scale, unsigned char* q, long long count) {
  for_lanes(count, [=](long long i, int n) {
    // A division, not a product with the reciprocal: the codes must equal the oracle's.
    const Float scaled = load(w + i, n) / scale;
    store_int(to_f8(scaled == scaled ? scaled : Float{}), q + i, n);
  });
}

inline void dequantize(const unsigned char* q, float scale, float* out, long long count) {
  for_lanes(count,
            [=](long long i, int n) { store(from_f8(load_int(q + i, n)) * scale, out + i, n); });
}

}  // namespace
}  // namespace framepack::cpu::isa
