#include <algorithm>
#include <bit>

#include "test/simulator.h"

namespace cudasim::test {
namespace {

constexpr const char* kSchedules[] = {"ascending", "descending", "random:1", "random:2",
                                      "random:3"};

SIM_TEST(lanes_exchange_values) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("warp");
  std::vector<int> in(32);
  for (int i = 0; i < 32; ++i) in[static_cast<size_t>(i)] = (i * 37) % 23 - 9;
  const DeviceArray<int> device_in(in), device_out(32 * 16);
  CHECK(launch(module.function("exchange"), {}, device_in.address(), device_out.address()));
  const std::vector<int> out = device_out.download();
  const auto at = [&](int i) { return in[static_cast<size_t>(i)]; };
  int sum = 0, highest = at(0), steps = 0;
  unsigned bits = 0, positive = 0;
  for (int i = 0; i < 32; ++i) {
    sum += at(i);
    highest = std::max(highest, at(i));
    bits ^= static_cast<unsigned>(at(i));
    positive |= (at(i) > 0 ? 1u : 0u) << i;
    steps += std::bit_width(static_cast<unsigned>(i));
  }
  for (int lane = 0; lane < 32; ++lane) {
    unsigned same = 0;
    for (int i = 0; i < 32; ++i) same |= ((at(i) & 3) == (at(lane) & 3) ? 1u : 0u) << i;
    const bool is_odd = lane & 1;
    const int expected[16] = {at(lane * 7 & 31),
                              at(lane >= 3 ? lane - 3 : lane),
                              at((lane & 15) + 5 < 16 ? lane + 5 : lane),
                              at(lane ^ 9),
                              static_cast<int>(positive),
                              3,
                              static_cast<int>(same),
                              sum,
                              highest,
                              static_cast<int>(bits),
                              is_odd ? static_cast<int>(0xaaaaaaaau) : 0,
                              is_odd ? at(1) : at(lane ^ 2),
                              0,  // all lanes match and the predicate is 1: 0xffffffff + 1
                              steps,
                              lane,
                              at((lane & 7) >= 1 ? lane - 1 : lane)};
    for (int k = 0; k < 16; ++k) {
      const int got = out[static_cast<size_t>(16 * lane + k)];
      REQUIRE_MESSAGE(got == expected[k], "lane " + std::to_string(lane) + " result " +
                                              std::to_string(k) + ": expected " +
                                              std::to_string(expected[k]) + ", got " +
                                              std::to_string(got));
    }
  }
  REQUIRE_MESSAGE(findings().empty(), findings());
}

SIM_TEST(barriers_reduce_and_pair_warps_in_any_schedule) {
  for (const char* schedule : kSchedules) {
    const Environment environment{{"CHECK", "1"}, {"SCHEDULE", schedule}};
    const TestModule module("warp");
    const DeviceArray<int> device_out(384);
    CHECK(launch(module.function("barriers"), {1, 128}, device_out.address()));
    const std::vector<int> out = device_out.download();
    for (int i = 0; i < 128; ++i) {
      REQUIRE(out[static_cast<size_t>(i)] == 43 * 4 + 2);
      REQUIRE(out[static_cast<size_t>(128 + i)] == (i ^ 63));
      if (i >= 64) REQUIRE(out[static_cast<size_t>(256 + i)] == 1000 + i - 64);
    }
    REQUIRE_MESSAGE(findings().empty(), findings());
  }
}

SIM_TEST(a_spinning_warp_lets_others_run) {
  for (const char* schedule : kSchedules) {
    const Environment environment{{"SCHEDULE", schedule}};
    const TestModule module("warp");
    const DeviceArray<int> out(1);
    CHECK(launch(module.function("handover"), {1, 64}, out.address()));
    REQUIRE(out.download()[0] == 42);
  }
}

}  // namespace
}  // namespace cudasim::test
