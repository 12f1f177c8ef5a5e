// What all instruction sets share on top of simd_<isa>.h, which must be included first.
#pragma once

namespace framepack::cpu::isa {
namespace {

inline Float splat(float x) { return Float{} + x; }
inline Int as_int(Float x) { return __builtin_bit_cast(Int, x); }
inline Float as_float(Int x) { return __builtin_bit_cast(Float, x); }
inline Float absolute(Float x) { return as_float(as_int(x) & 0x7fffffff); }

// Calls body(index, lanes) for whole vectors and once for the rest, so that the whole ones compile
// without masks.
template <class Body>
inline void for_lanes(long long count, Body body) {
  long long i = 0;
  for (; i + kLanes <= count; i += kLanes) body(i, kLanes);
  if (i < count) body(i, static_cast<int>(count - i));
}

// exp(r) for |r| <= ln 2 / 2 by its Taylor polynomial; the first missing term is below 5.2e-9.
inline Float exp_of_remainder(Float r) {
  Float p = splat(1.0f / 5040);
  p = fma(p, r, splat(1.0f / 720));
  p = fma(p, r, splat(1.0f / 120));
  p = fma(p, r, splat(1.0f / 24));
  p = fma(p, r, splat(1.0f / 6));
  p = fma(p, r, splat(0.5f));
  p = fma(p, r, splat(1.0f));
  p = fma(p, r, splat(1.0f));
  return p;
}

// Relative error below 1.5e-7 everywhere, subnormal results included; overflows to infinity, keeps
// NaN.
inline Float exp(Float x) {
  const Float log2_e = splat(1.44269504f);
  const Float ln2_high = splat(0.693145752f);  // few bits: multiples up to 2^8 are exact
  const Float ln2_low = splat(1.42860677e-6f);
  const Float round = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  x = x > 89.0f ? splat(89.0f) : x;
  x = x < -104.0f ? splat(-104.0f) : x;
  const Float shifted = fma(x, log2_e, round);
  const Float whole = shifted - round;
  Float r = fma(-whole, ln2_high, x);
  r = fma(-whole, ln2_low, r);
  const Float p = exp_of_remainder(r);
  // Two factors, because 2^n itself may be out of range where the result is not.
  const Int n = as_int(shifted) - as_int(round);
  const Int half = n >> 1;
  return p * as_float((half + 127) << 23) * as_float((n - half + 127) << 23);
}

// 1 / (1 + exp(-x)) times a.
inline Float times_sigmoid(Float a, Float x) { return a / (1.0f + exp(-x)); }

inline Float gelu_tanh(Float a) {
  // 0.5 (1 + tanh u) = 1 / (1 + exp(-2 u)), which does not cancel for negative u.
  const Float cubic = fma(a * a * a, splat(0.044715f), a);
  return times_sigmoid(a, cubic * 1.59576912f);  // 2 sqrt(2 / pi)
}

}  // namespace
}  // namespace framepack::cpu::isa
