#include "test/arithmetic.h"

#include "test/simulator.h"

namespace cudasim::test {
namespace {

template <typename Input, typename Reference>
void compare(const char* kernel, const std::vector<Input>& inputs, Reference reference) {
  const TestModule module("arithmetic");
  const DeviceArray<Input> device_inputs(inputs);
  const DeviceArray<Results> device_results(inputs.size());
  CHECK(launch(module.function(kernel), {static_cast<unsigned>(inputs.size() + 63) / 64, 64},
               device_inputs.address(), device_results.address(), static_cast<int>(inputs.size())));
  const std::vector<Results> results = device_results.download();
  for (size_t i = 0; i < inputs.size(); ++i) {
    Results expected{};
    reference(inputs[i], expected);
    REQUIRE(results[i].count == expected.count);
    for (int k = 0; k < expected.count; ++k) {
      REQUIRE_MESSAGE(results[i].value[k] == expected.value[k],
                      "input " + std::to_string(i) + " expression " + std::to_string(k) +
                          ": expected " + std::to_string(expected.value[k]) + ", got " +
                          std::to_string(results[i].value[k]));
    }
  }
}

// Extreme values appear as often as ordinary ones.
uint64_t interesting(Random& random) {
  static constexpr uint64_t kValues[] = {0,
                                         1,
                                         2,
                                         31,
                                         32,
                                         0x7fffffff,
                                         0x80000000,
                                         0xffffffff,
                                         0x7fffffffffffffff,
                                         0x8000000000000000,
                                         ~uint64_t{0},
                                         0x8000,
                                         0x7fff,
                                         0xff80};
  const uint64_t bits = random.bits();
  return bits & 1 ? random.bits() >> (bits >> 1 & 63) : kValues[(bits >> 8) % std::size(kValues)];
}

SIM_TEST(integer_arithmetic_agrees_with_the_host) {
  Random random(1);
  std::vector<IntegerInput> inputs(500);
  for (IntegerInput& i : inputs) {
    const auto any = [&] { return interesting(random); };
    i = {static_cast<int32_t>(any()),
         static_cast<int32_t>(any()),
         static_cast<uint32_t>(any()),
         static_cast<uint32_t>(any()),
         static_cast<uint32_t>(any()),
         static_cast<int64_t>(any()),
         static_cast<int64_t>(any()),
         any(),
         any(),
         static_cast<int16_t>(any()),
         static_cast<int16_t>(any()),
         static_cast<uint16_t>(any()),
         static_cast<uint16_t>(any())};
  }
  compare("integer_kernel", inputs, integer_results);
}

SIM_TEST(float_arithmetic_agrees_with_the_host) {
  Random random(2);
  std::vector<FloatInput> inputs(500);
  for (FloatInput& i : inputs) {
    const auto any = [&] {
      return random.uniform() * std::exp2(static_cast<float>(random.bits() % 24));
    };
    i = {any(), any(), any(), any() * 1.000000001, any() / 3.0, any() * 7.0};
  }
  inputs[0] = {0.0f, -0.0f, 1.0f, 0.0, 1.0, -1.0};
  inputs[1] = {1e-40f, 3.0f, 2.5f, 1e-310, 2.0, 3.0};
  inputs[2] = {0.5f, 1.5f, -2.5f, 0.5, 1.5, -0.5};
  compare("float_kernel", inputs, float_results);
}

SIM_TEST(functions_agree_with_the_host_to_their_precision) {
  const TestModule module("arithmetic");
  std::vector<float> inputs;
  for (int i = -16; i < 16; ++i) inputs.push_back(static_cast<float>(i) * 0.3f + 0.05f);
  const DeviceArray<float> x(inputs), y(inputs.size() * 12);
  CHECK(launch(module.function("function_kernel"), {}, x.address(), y.address(),
               static_cast<int>(inputs.size())));
  const std::vector<float> results = y.download();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double v = inputs[i], m = std::fabs(v);
    const double expected[12] = {std::sin(static_cast<double>(inputs[i] * 1000.0f)),
                                 std::cos(v),
                                 std::exp(v),
                                 std::log(m),
                                 std::tanh(v),
                                 1 / std::sqrt(m),
                                 std::erf(v),
                                 std::pow(m, 1.7),
                                 std::sin(v),
                                 std::exp(v),
                                 std::log(m),
                                 std::tanh(v)};
    for (size_t k = 0; k < 12; ++k) {
      const double error =
          std::fabs(results[12 * i + k] - expected[k]) / std::max(1.0, std::fabs(expected[k]));
      REQUIRE_MESSAGE(error < 2e-6, "function " + std::to_string(k) + " of " + std::to_string(v));
    }
  }
}

SIM_TEST(directed_rounding_brackets_the_exact_result) {
  const TestModule module("arithmetic");
  const DeviceArray<float> results(8);
  for (const auto& [a, b] :
       {std::pair{1.0f, 3e-9f}, std::pair{0.3f, -1e-9f}, std::pair{7.1f, 0.37f}}) {
    CHECK(launch(module.function("rounding_kernel"), {1, 1}, a, b, results.address()));
    const std::vector<float> r = results.download();
    const double sum = static_cast<double>(a) + b, product = static_cast<double>(a) * b;
    REQUIRE(r[0] <= sum && r[1] <= sum && r[2] >= sum && r[1] == r[0]);
    REQUIRE(r[2] <= std::nextafter(r[1], INFINITY));
    REQUIRE(std::fabs(r[3]) <= std::fabs(product));
    REQUIRE(r[4] == std::min(1.0f, std::max(0.0f, static_cast<float>(sum))));
    REQUIRE(std::fabs(r[5]) <= std::fabs(static_cast<double>(a) / b));
    REQUIRE(static_cast<double>(r[6]) * r[6] >= a);
    REQUIRE(r[7] <= product + a);
  }
}

}  // namespace
}  // namespace cudasim::test
