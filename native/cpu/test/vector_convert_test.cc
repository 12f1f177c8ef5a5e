// Vector conversions against the scalar ones: every code of every narrow type, every f32 exponent
// with the mantissas around each rounding step, every count of trailing lanes. Also the accuracy of
// the vector exponential.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "../../core/dtype.h"
#include "../dispatch.h"
#include "../isa/vector_table.h"

namespace framepack::cpu {
namespace {

int failures = 0;

void expect(bool holds, const char* level, const char* what, uint32_t bits) {
  if (holds) return;
  if (++failures < 20) std::printf("%s: %s fails for 0x%08x\n", level, what, bits);
}

bool same(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

void check_widening(const isa::VectorTable& table, const char* level, DType dtype) {
  const uint32_t codes = 1u << 8 * size_of(dtype);
  std::vector<uint16_t> words(codes);
  std::vector<uint8_t> bytes(codes);
  for (uint32_t code = 0; code < codes; ++code) {
    words[code] = static_cast<uint16_t>(code);
    bytes[code] = static_cast<uint8_t>(code);
  }
  const void* x = size_of(dtype) == 2 ? static_cast<const void*>(words.data()) : bytes.data();
  std::vector<float> out(codes);
  table.widen(x, dtype, out.data(), codes);
  for (uint32_t code = 0; code < codes; ++code)
    expect(same(out[code], load_f32(x, dtype, code)), level, "widen", code);
}

// The sign, the exponent and the high mantissa bits run through all values; the low ones through
// those that decide a rounding to 3, 7 or 10 mantissa bits.
std::vector<float> rounding_inputs() {
  const uint32_t low[] = {0x0000, 0x0001, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001,
                          0x7fff, 0x8000, 0x8001, 0xefff, 0xf000, 0xf001, 0xffff};
  std::vector<float> inputs;
  for (uint32_t high = 0; high < 65536; ++high)
    for (const uint32_t rest : low) inputs.push_back(float_of_bits(high << 16 | rest));
  return inputs;
}

void check_narrowing(const isa::VectorTable& table, const char* level, DType dtype,
                     const std::vector<float>& inputs) {
  std::vector<uint16_t> out(inputs.size());
  table.narrow(inputs.data(), out.data(), dtype, static_cast<long long>(inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    uint32_t expected = 0, got = 0;
    store_f32(&expected, dtype, 0, inputs[i]);
    const size_t bytes = static_cast<size_t>(size_of(dtype));
    std::memcpy(&got, reinterpret_cast<const char*>(out.data()) + i * bytes, bytes);
    expect(got == expected, level, "narrow", bits_of(inputs[i]));
  }
}

void check_round_trip(const isa::VectorTable& table, const char* level, DType dtype) {
  const uint32_t codes = 1u << 8 * size_of(dtype);
  for (uint32_t code = 0; code < codes; ++code) {
    float value;
    uint32_t back = 0;
    table.widen(&code, dtype, &value, 1);
    table.narrow(&value, &back, dtype, 1);
    expect(back == code || std::isnan(value), level, "round trip", code);
  }
}

// Partial vectors must neither read nor write beyond count.
void check_tails(const isa::VectorTable& table, const char* level, DType dtype) {
  for (long long count = 0; count <= 40; ++count) {
    std::vector<float> x(static_cast<size_t>(count)), wide(static_cast<size_t>(count) + 1, 7.0f);
    for (long long i = 0; i < count; ++i) x[i] = static_cast<float>(i) - 3.5f;
    const size_t bytes = static_cast<size_t>(count * size_of(dtype));
    std::vector<uint8_t> narrow(bytes + 4, 0xa5);
    table.narrow(x.data(), narrow.data(), dtype, count);
    for (size_t i = bytes; i < narrow.size(); ++i)
      expect(narrow[i] == 0xa5, level, "narrow writes past the end", static_cast<uint32_t>(count));
    table.widen(narrow.data(), dtype, wide.data(), count);
    expect(wide.back() == 7.0f, level, "widen writes past the end", static_cast<uint32_t>(count));
    for (long long i = 0; i < count; ++i)
      expect(wide[i] == load_f32(narrow.data(), dtype, i), level, "tail",
             static_cast<uint32_t>(count));
  }
}

void check_exp(const isa::VectorTable& table, const char* level) {
  double worst = 0;
  for (float x = -103.0f; x < 88.7f; x += 0.0037f) {
    float y;
    table.elementwise(ElementwiseOp::kExp, &x, nullptr, nullptr, &y, 1, 0, 0);
    const double expected = std::exp(static_cast<double>(x));
    // Below the normal range the spacing of the results is the only bound.
    const double scale = std::max(expected, 0x1p-126);
    worst = std::max(worst, std::abs(y - expected) / scale);
  }
  if (worst > 1.5e-7) {
    ++failures;
    std::printf("%s: exp has relative error %.3g\n", level, worst);
  }
  const float special[] = {INFINITY, -INFINITY, NAN, 0.0f, 1000.0f, -1000.0f};
  float y[6];
  table.elementwise(ElementwiseOp::kExp, special, nullptr, nullptr, y, 6, 0, 0);
  const bool holds = y[0] == INFINITY && y[1] == 0 && std::isnan(y[2]) && y[3] == 1 &&
                     y[4] == INFINITY && y[5] == 0;
  expect(holds, level, "exp of a special value", 0);
}

void check_level(IsaLevel level) {
  const isa::VectorTable& table = *vector_table(level);
  const char* name = name_of(level);
  const std::vector<float> inputs = rounding_inputs();
  for (const DType dtype : {DType::kF16, DType::kBf16, DType::kF8E4M3}) {
    check_widening(table, name, dtype);
    check_narrowing(table, name, dtype, inputs);
    check_round_trip(table, name, dtype);
    check_tails(table, name, dtype);
  }
  check_exp(table, name);
}

}  // namespace
}  // namespace framepack::cpu

int main() {
  using namespace framepack::cpu;
  for (const IsaLevel level : kIsaLevels) {
    if (level <= detect_isa_level() && vector_table(level)) check_level(level);
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
