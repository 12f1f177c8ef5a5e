#include <cstring>

#include "test/simulator.h"

namespace cudasim::test {
namespace {

struct Arguments {
  CUdeviceptr in, out;
  int choice[4];
};

SIM_TEST(state_spaces_calls_and_switches) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("memory");
  Random random(4);
  std::vector<float> in(128);
  for (float& v : in) v = random.uniform();
  const DeviceArray<float> device_in(in), device_out(32);
  for (int base = 0; base < 7; ++base) {
    const Arguments arguments{
        device_in.address(), device_out.address(), {base, (base + 1) % 7, (base + 2) % 7, 6}};
    CHECK(launch(module.function("spaces"), {}, arguments));
    const std::vector<float> out = device_out.download();
    for (int i = 0; i < 32; ++i) {
      const float *v = &in[static_cast<size_t>(4 * i)], scale = std::ldexp(1.0f, -(i & 3));
      const int choice = arguments.choice[i & 3];
      float called = v[2];
      for (int k = 0; k < arguments.choice[(i + 1) & 3]; ++k) called = called * 0.5f + 1.0f;
      const double local = static_cast<double>(v[0]) * (choice & 7) + v[1];
      double sum = local * scale + called;
      const double by_case[] = {sum + 1, sum * 2, sum - v[3], sum * sum, sum + v[3] * 3, -sum, 0};
      sum = by_case[choice] + 5;
      REQUIRE(std::fabs(out[static_cast<size_t>(i)] - sum) < 1e-5);
    }
  }
  REQUIRE_MESSAGE(findings().empty(), findings());
}

SIM_TEST(narrow_loads_extend_by_their_sign) {
  const TestModule module("memory");
  std::vector<uint8_t> bytes(32);
  std::vector<int8_t> signed_bytes(32);
  std::vector<uint16_t> shorts(32);
  for (size_t i = 0; i < 32; ++i) {
    bytes[i] = static_cast<uint8_t>(i * 9);
    signed_bytes[i] = static_cast<int8_t>(i * 17);
    shorts[i] = static_cast<uint16_t>(i * 2113);
  }
  const DeviceArray<uint8_t> b(bytes), b_out(32);
  const DeviceArray<int8_t> s(signed_bytes);
  const DeviceArray<uint16_t> w(shorts);
  const DeviceArray<long long> out(32);
  CHECK(launch(module.function("narrow"), {}, b.address(), s.address(), w.address(),
               b_out.address(), out.address()));
  const auto bytes_out = b_out.download();
  const auto results = out.download();
  for (size_t i = 0; i < 32; ++i) {
    REQUIRE(bytes_out[i] == static_cast<uint8_t>(bytes[i] + 1));
    REQUIRE(results[i] == static_cast<long long>(signed_bytes[i]) * shorts[i] - bytes[i]);
  }
}

SIM_TEST(shared_memory_through_every_kind_of_address) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("memory");
  std::vector<float> in(128);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
  const DeviceArray<float> device_in(in), device_out(128);
  CHECK(
      launch(module.function("reverse"), {1, 128, 512}, device_in.address(), device_out.address()));
  const std::vector<float> out = device_out.download();
  for (size_t i = 0; i < 128; ++i) REQUIRE(out[i] == in[127 - i]);
  REQUIRE_MESSAGE(findings().empty(), findings());
}

SIM_TEST(atomics_add_up_over_blocks_and_threads) {
  for (const char* threads : {"1", "4"}) {
    const Environment environment{{"CHECK", "1"}, {"THREADS", threads}};
    const TestModule module("memory");
    const DeviceArray<int> ints(std::vector<int>(3, 0));
    const DeviceArray<unsigned> unsigneds(std::vector<unsigned>(7, 0));
    const DeviceArray<unsigned long long> longs(std::vector<unsigned long long>(1, 7));
    const DeviceArray<float> floats(std::vector<float>(1, 0.0f));
    CHECK(launch(module.function("atomics"), {8, 64}, ints.address(), unsigneds.address(),
                 longs.address(), floats.address()));
    REQUIRE((ints.download() == std::vector<int>{511 * 512 / 2, -511, 511}));
    REQUIRE(
        (unsigneds.download() == std::vector<unsigned>{3 * 512, 511, ~0u, 512 % 10, 0, 1024, 64}));
    REQUIRE(longs.download()[0] == 7 + 512 * 0x100000000ull);
    REQUIRE(floats.download()[0] == 256.0f);
    REQUIRE_MESSAGE(findings().empty(), findings());
  }
}

SIM_TEST(asynchronous_copies_fill_and_wait_by_group) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("memory");
  std::vector<float> in(128);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i + 1);
  const DeviceArray<float> device_in(in), device_out(32);
  constexpr int kValid = 20;
  CHECK(launch(module.function("async_copies"), {}, device_in.address(), device_out.address(),
               kValid));
  const std::vector<float> out = device_out.download();
  for (size_t i = 0; i < 32; ++i) {
    const size_t from = 31 - i;
    const float first = from <= kValid ? in[4 * from] : 0,
                second = from < kValid ? in[4 * from + 1] : 0;
    REQUIRE(out[i] == first + second + 100.0f * in[2 * from + 1] + 10000.0f * in[from]);
  }
  REQUIRE_MESSAGE(findings().empty(), findings());
}

}  // namespace
}  // namespace cudasim::test
