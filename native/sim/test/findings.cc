// Every check finds the mistake it is for, at its line, and nothing in a correct kernel.

#include "test/simulator.h"

namespace cudasim::test {
namespace {

struct Mistake {
  const char* kernel;
  const char* finding;  // part of the expected text
  CUresult error;
  Shape shape;
};

constexpr Mistake kMistakes[] = {
    {"reads_out_of_bounds",
     "out-of-bounds global read of 4 bytes",
     CUDA_ERROR_ILLEGAL_ADDRESS,
     {1, 32}},
    {"writes_out_of_bounds",
     "out-of-bounds global write of 4 bytes",
     CUDA_ERROR_ILLEGAL_ADDRESS,
     {1, 32}},
    {"reads_misaligned",
     "misaligned 16-byte global access",
     CUDA_ERROR_MISALIGNED_ADDRESS,
     {1, 32}},
    {"misses_a_barrier",
     "read-after-write race on shared byte",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"misses_a_warp_barrier",
     "read-after-write race on shared byte",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"reuses_a_buffer_too_early",
     "write-after-read race on shared byte",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"two_threads_write_one_word",
     "write-after-write race on shared byte",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"reads_uninitialised_shared",
     "read of uninitialised shared byte ",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"overruns_shared",
     "write of 4 bytes at shared offset 508",
     CUDA_ERROR_ILLEGAL_ADDRESS,
     {1, 128, 508}},
    {"misses_a_copy_wait", "has not been waited for", CUDA_ERROR_LAUNCH_FAILED, {1, 128}},
    {"misses_a_barrier_after_copy",
     "read-after-write race on shared byte",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"copies_into_a_buffer_in_use",
     "write-after-read race on shared byte",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"exits_with_a_copy_in_flight", "still in flight", CUDA_ERROR_LAUNCH_FAILED, {1, 128}},
    {"barrier_in_a_branch",
     "barrier in divergent code: 16 of 32 lanes",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 128}},
    {"pairs_two_barriers", "pairs with a different one", CUDA_ERROR_LAUNCH_FAILED, {1, 128}},
    {"waits_for_ever",
     "deadlock: 3 warp(s) have exited, 1 warp(s) wait at barrier 1",
     CUDA_ERROR_LAUNCH_TIMEOUT,
     {1, 128}},
    {"shuffles_without_partner",
     "names lanes that are not here",
     CUDA_ERROR_LAUNCH_FAILED,
     {1, 32}},
    {"shuffles_outside_its_mask", "not in mask", CUDA_ERROR_LAUNCH_FAILED, {1, 32}},
    {"races_across_blocks", "race on global memory", CUDA_ERROR_LAUNCH_FAILED, {2, 32}},
    {"mixes_atomic_and_plain", "race on global memory", CUDA_ERROR_LAUNCH_FAILED, {2, 32}},
    {"asserts", "assertion failed: x[0] > 1e9f", CUDA_ERROR_ASSERT, {1, 32}},
};

SIM_TEST(every_mistake_is_found_at_its_line) {
  for (const char* schedule : {"ascending", "descending", "random:7"}) {
    for (const Mistake& mistake : kMistakes) {
      const Environment environment{{"CHECK", "1"}, {"SCHEDULE", schedule}};
      const TestModule module("findings");
      const DeviceArray<float> x(std::vector<float>(128, 1.0f));
      const CUresult result = launch(module.function(mistake.kernel), mistake.shape, x.address());
      const std::string text = findings(),
                        name = std::string(mistake.kernel) + " " + schedule + ": ";
      REQUIRE_MESSAGE(text.find(mistake.finding) != std::string::npos, name + text);
      REQUIRE_MESSAGE(text.find("findings.cu:") != std::string::npos, name + text);
      REQUIRE_MESSAGE(result == mistake.error, name + std::to_string(result));
      REQUIRE_MESSAGE(cuCtxSynchronize() == mistake.error, name + "the error is not sticky");
      cudaSimReset();
      REQUIRE(cuCtxSynchronize() == CUDA_SUCCESS);
    }
  }
}

SIM_TEST(uninitialised_global_memory_is_found) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("findings");
  const DeviceArray<float> x(128);
  REQUIRE(launch(module.function("reads_uninitialised_global"), {1, 32}, x.address()) ==
          CUDA_ERROR_LAUNCH_FAILED);
  REQUIRE(findings().find("read of uninitialised global memory") != std::string::npos);
}

SIM_TEST(a_freed_allocation_and_a_host_pointer_are_found) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("findings");
  CUdeviceptr freed = 0;
  CHECK(cuMemAlloc_v2(&freed, 512));
  CHECK(cuMemFree_v2(freed));
  REQUIRE(launch(module.function("clean"), {1, 128}, freed) == CUDA_ERROR_ILLEGAL_ADDRESS);
  REQUIRE_MESSAGE(findings().find("memory that was freed") != std::string::npos, findings());
  cudaSimReset();
  std::vector<float> host(128);
  REQUIRE(launch(module.function("clean"), {1, 128}, host.data()) == CUDA_ERROR_ILLEGAL_ADDRESS);
  REQUIRE_MESSAGE(findings().find("a host pointer") != std::string::npos, findings());
}

SIM_TEST(a_kernel_that_never_ends_is_stopped) {
  const Environment environment{{"STEP_LIMIT", "100000"}};
  const TestModule module("findings");
  const DeviceArray<float> x(std::vector<float>(128, 1.0f));
  REQUIRE(launch(module.function("never_ends"), {1, 32}, x.address()) == CUDA_ERROR_LAUNCH_TIMEOUT);
}

SIM_TEST(a_correct_kernel_has_no_findings) {
  const Environment environment{{"CHECK", "1"}};
  const TestModule module("findings");
  const DeviceArray<float> x(std::vector<float>(128, 1.0f));
  for (int i = 0; i < 3; ++i) CHECK(launch(module.function("clean"), {1, 128}, x.address()));
  REQUIRE(cudaSimDiagnosticCount() == 0);
}

SIM_TEST(findings_can_be_counted_without_failing) {
  const Environment environment{{"CHECK", "1"}, {"ON_DIAGNOSTIC", "count"}};
  const TestModule module("findings");
  const DeviceArray<float> x(std::vector<float>(128, 1.0f));
  CHECK(launch(module.function("misses_a_barrier"), {1, 128}, x.address()));
  REQUIRE(cudaSimDiagnosticCount() > 0);
  REQUIRE(cudaSimDiagnosticText(0) != nullptr && cudaSimDiagnosticText(1000000) == nullptr);
}

}  // namespace
}  // namespace cudasim::test
