// The 16-bit float formats: exact widening, and narrowing with one correct rounding.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace cudasim {

struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

inline float to_float(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }

inline float to_float(Half value) {
  // Shifting the fields into place leaves the exponent 112 too small; the product also normalises
  // subnormals.
  const uint32_t magnitude = value.bits & 0x7fffu;
  float result = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  if (magnitude >= 0x7c00u) result = std::bit_cast<float>(0x7f800000u | (magnitude & 0x3ffu) << 13);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(result) | (value.bits & 0x8000u) << 16);
}

/** Round to nearest even; NaN becomes the canonical 0x7fff, as on the device. */
inline BFloat16 to_bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
  return {static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : rounded)};
}

inline Half to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t result;
  if (magnitude > 0x7f800000u) {
    return {0x7fff};
  } else if (magnitude >=
             0x47800000u) {  // 65536 and above; the range below rounds to infinity by carry
    result = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // normal
    result = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1)) >> 13;
  } else {  // adding 0.5 puts the subnormal's units into the low mantissa bits, rounded by the
            // adder
    result = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  }
  return {static_cast<uint16_t>(sign | result)};
}

template <typename T>
T narrow(float value) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(value);
  } else {
    return to_bfloat16(value);
  }
}

/**
 * Sum of two doubles as a float rounded to odd: rounding that once more to 16 bits gives the
 * correctly rounded sum, which rounding to nearest twice would not.
 */
inline float add_round_to_odd(double a, double b) {
  double sum = a + b;
  const double back = sum - a;
  const double error = (a - (sum - back)) + (b - back);
  if (error != 0 && std::isfinite(sum) && !(std::bit_cast<uint64_t>(sum) & 1)) {
    const int64_t step = (error > 0) != std::signbit(sum) ? 1 : -1;
    sum = std::bit_cast<double>(std::bit_cast<int64_t>(sum) + step);
  }
  float result = static_cast<float>(sum);
  const double rest = sum - static_cast<double>(result);
  if (rest != 0 && std::isfinite(result) && !(std::bit_cast<uint32_t>(result) & 1)) {
    const int32_t step = (rest > 0) != std::signbit(result) ? 1 : -1;
    result = std::bit_cast<float>(std::bit_cast<int32_t>(result) + step);
  }
  return result;
}

/** a * b + c with one rounding to T; the product of two 16-bit floats is exact in a double. */
template <typename T>
T fused_multiply_add(T a, T b, T c) {
  const double product = static_cast<double>(to_float(a)) * static_cast<double>(to_float(b));
  return narrow<T>(add_round_to_odd(product, static_cast<double>(to_float(c))));
}

}  // namespace cudasim
