// Matrix instructions and the 16-bit formats against definitions by value: the reference rounds an
// exact value by searching the neighbouring representable numbers, not by bit tricks.

#include "test/tensor.h"

#include <bit>
#include <cmath>

#include "test/simulator.h"

namespace cudasim::test {
namespace {

struct Format {
  int mantissa_bits, exponent_bits;
};
constexpr Format kHalf{10, 5}, kBf16{7, 8};

double value_of(uint32_t bits, Format format) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const int exponent =
      static_cast<int>(bits >> format.mantissa_bits) & ((1 << format.exponent_bits) - 1);
  const int mantissa = static_cast<int>(bits) & ((1 << format.mantissa_bits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << format.exponent_bits) - 1) return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - format.mantissa_bits);
  return sign *
         std::ldexp((1 << format.mantissa_bits) + mantissa, exponent - bias - format.mantissa_bits);
}

// Nearest representable number, ties to the even pattern. Positive patterns are ordered by value.
uint32_t round_to(long double exact, Format format) {
  if (std::isnan(exact)) return 0x7fff;
  const uint32_t sign = std::signbit(exact) ? 0x8000 : 0;
  const long double magnitude = std::fabs(exact);
  const uint32_t infinity = ((1u << format.exponent_bits) - 1) << format.mantissa_bits;
  uint32_t low = 0, high = infinity;
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (value_of(middle, format) <= magnitude ? low : high) = middle;
  }
  if (std::isinf(magnitude)) return sign | infinity;
  const long double below = value_of(low, format);
  // The step above the largest finite number counts as if the exponent went on.
  const long double above =
      high == infinity ? 2 * below - value_of(low - 1, format) : value_of(high, format);
  const long double to_below = magnitude - below, to_above = above - magnitude;
  if (to_below == to_above) return sign | (low % 2 == 0 ? low : high);
  return sign | (to_below < to_above ? low : high);
}

void expect_bits(const char* what, uint32_t input, uint32_t got, uint32_t expected, uint32_t mask) {
  REQUIRE_MESSAGE((got & mask) == (expected & mask),
                  std::string(what) + " of " + std::to_string(input) + ": expected " +
                      std::to_string(expected) + ", got " + std::to_string(got));
}

SIM_TEST(every_16_bit_float_converts_and_combines_correctly) {
  const TestModule module("tensor");
  const DeviceArray<HalfResults> results(65536);
  CHECK(launch(module.function("half_kernel"), {256, 256}, results.address()));
  const std::vector<HalfResults> all = results.download();
  for (uint32_t i = 0; i < 65536; ++i) {
    const HalfResults& r = all[i];
    const uint32_t j = i * 40503u & 0xffff, k = i * 30011u & 0xffff;
    const double h = value_of(i, kHalf), b = value_of(i, kBf16);
    REQUIRE(std::isnan(h) ? std::isnan(r.half_to_float) : r.half_to_float == static_cast<float>(h));
    REQUIRE(std::isnan(b) ? std::isnan(r.bf16_to_float) : r.bf16_to_float == static_cast<float>(b));
    const float odd = std::bit_cast<float>(i << 16 | (i * 2654435761u >> 16));
    expect_bits("f32 to f16", i, r.float_to_half, round_to(odd, kHalf), 0xffff);
    expect_bits("f32 to bf16", i, r.float_to_bf16, round_to(odd, kBf16), 0xffff);
    const long double half_product = static_cast<long double>(h) * value_of(j, kHalf);
    const long double bf16_product = static_cast<long double>(b) * value_of(j, kBf16);
    expect_bits("f16 fma", i, r.half_fma, round_to(half_product + value_of(k, kHalf), kHalf),
                0xffff);
    // A long double holds a bf16 sum exactly only while the exponents are close enough.
    const long double bf16_sum = bf16_product + value_of(k, kBf16);
    if (bf16_sum - bf16_product == value_of(k, kBf16)) {
      expect_bits("bf16 fma", i, r.bf16_fma, round_to(bf16_sum, kBf16), 0xffff);
    }
    expect_bits("f16 sum", i, r.half_sum,
                round_to(static_cast<long double>(h) + value_of(j, kHalf), kHalf), 0xffff);
    REQUIRE(r.half_is_less == (h < value_of(j, kHalf)));
    expect_bits("packed bf16", i, r.packed_bf16,
                round_to(odd, kBf16) << 16 | round_to(r.half_to_float, kBf16), ~0u);
    expect_bits("packed f16", i, r.packed_half,
                round_to(odd, kHalf) << 16 | round_to(r.bf16_to_float, kHalf), ~0u);
    const double low_max = std::fmax(b, value_of(k, kBf16));
    expect_bits("bf16 maximum", i, r.bf16_pair_max, round_to(low_max, kBf16),
                low_max == 0 ? 0 : 0xffff);
    const long double low_product = static_cast<long double>(b) * value_of(k, kBf16);
    const long double low_fma = low_product + b;
    if (low_fma - low_product == b) {
      expect_bits("bf16 pair fma", i, r.bf16_pair_fma, round_to(low_fma, kBf16), 0xffff);
    }
  }
}

void check_product(const char* kernel, Format format) {
  const TestModule module("tensor");
  Random random(3);
  std::vector<uint16_t> a(256), b(128);
  std::vector<float> c(128);
  for (auto& v : a) v = static_cast<uint16_t>(round_to(random.uniform(), format));
  for (auto& v : b) v = static_cast<uint16_t>(round_to(random.uniform() * 4, format));
  for (auto& v : c) v = random.uniform();
  const DeviceArray<uint16_t> device_a(a), device_b(b);
  const DeviceArray<float> device_c(c), device_d(128);
  CHECK(launch(module.function(kernel), {}, device_a.address(), device_b.address(),
               device_c.address(), device_d.address()));
  const std::vector<float> d = device_d.download();
  for (size_t row = 0; row < 16; ++row) {
    for (size_t column = 0; column < 8; ++column) {
      double expected = c[row * 8 + column];
      for (size_t k = 0; k < 16; ++k) {
        expected += value_of(a[row * 16 + k], format) * value_of(b[k * 8 + column], format);
      }
      REQUIRE(std::fabs(d[row * 8 + column] - expected) < 1e-5);
    }
  }
}

SIM_TEST(bf16_matrix_product_uses_the_documented_fragments) {
  check_product("multiply_bf16", kBf16);
}
SIM_TEST(f16_matrix_product_uses_the_documented_fragments) { check_product("multiply_f16", kHalf); }

}  // namespace
}  // namespace cudasim::test
