// The driver around the kernels: queues, events, memory, limits, modules. Kernels here are PTX
// text, so these tests need no nvcc.

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "test/simulator.h"

namespace cudasim::test {
namespace {

constexpr char kAddOne[] = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .entry add_one(.param .u64 data)
.maxntid 64, 1, 1
{
  .reg .b64 %rd<4>;
  .reg .b32 %r<3>;
  ld.param.u64 %rd1, [data];
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd2, %r1, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.u32 %r2, [%rd3];
  add.u32 %r2, %r2, 1;
  st.global.u32 [%rd3], %r2;
  ret;
}
)";

class PtxModule {
 public:
  explicit PtxModule(const char* text) { CHECK(cuModuleLoadData(&module_, text)); }
  ~PtxModule() { cuModuleUnload(module_); }
  PtxModule(const PtxModule&) = delete;
  PtxModule& operator=(const PtxModule&) = delete;
  CUfunction function(const char* name) const {
    CUfunction function = nullptr;
    CHECK(cuModuleGetFunction(&function, module_, name));
    return function;
  }

 private:
  CUmodule module_ = nullptr;
};

struct PinnedInts {
  int* values = nullptr;
  explicit PinnedInts(size_t count) {
    CHECK(cuMemHostAlloc(reinterpret_cast<void**>(&values), count * 4, 0));
  }
  ~PinnedInts() { cuMemFreeHost(values); }
};

void enqueue_add_one(CUfunction function, CUdeviceptr data, CUstream stream) {
  void* parameters[] = {&data};
  CHECK(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream, parameters, nullptr));
}

SIM_TEST(work_runs_only_when_somebody_waits) {
  const PtxModule module(kAddOne);
  const DeviceArray<int> data(std::vector<int>(32, 10));
  const PinnedInts host(32);
  CUstream stream = nullptr;
  CHECK(cuStreamCreate(&stream, 1));
  enqueue_add_one(module.function("add_one"), data.address(), stream);
  CHECK(cuMemcpyDtoHAsync_v2(host.values, data.address(), 128, stream));
  REQUIRE(host.values[5] == -1);  // poisoned until the stream is synchronised
  CHECK(cuStreamSynchronize(stream));
  REQUIRE(host.values[5] == 11);
  CHECK(cuStreamDestroy_v2(stream));
}

SIM_TEST(pinned_sources_are_read_late_and_pageable_ones_at_once) {
  const DeviceArray<int> data(32);
  const PinnedInts pinned(32);
  std::vector<int> pageable(32, 1);
  std::fill_n(pinned.values, 32, 1);
  CHECK(cuMemcpyHtoDAsync_v2(data.address(), pageable.data(), 128, nullptr));
  pageable.assign(32, 2);
  REQUIRE(data.download()[0] == 1);
  CHECK(cuMemcpyHtoDAsync_v2(data.address(), pinned.values, 128, nullptr));
  std::fill_n(pinned.values, 32, 3);
  REQUIRE(data.download()[0] == 3);
}

SIM_TEST(polling_makes_progress) {
  const PtxModule module(kAddOne);
  const DeviceArray<int> data(std::vector<int>(32, 0));
  CUstream stream = nullptr;
  CUevent event = nullptr;
  CHECK(cuStreamCreate(&stream, 1));
  CHECK(cuEventCreate(&event, 0));
  REQUIRE(cuEventQuery(event) == CUDA_SUCCESS);
  for (int i = 0; i < 3; ++i) enqueue_add_one(module.function("add_one"), data.address(), stream);
  CHECK(cuEventRecord(event, stream));
  int polls = 0;
  while (cuEventQuery(event) == CUDA_ERROR_NOT_READY) REQUIRE(++polls < 10);
  REQUIRE(polls == 4);
  REQUIRE(cuStreamQuery(stream) == CUDA_SUCCESS);
  REQUIRE(data.download()[0] == 3);
  CHECK(cuEventDestroy_v2(event));
  CHECK(cuStreamDestroy_v2(stream));
}

SIM_TEST(events_order_streams_and_measure_time) {
  const PtxModule module(kAddOne);
  const DeviceArray<int> data(std::vector<int>(32, 0));
  CUstream first = nullptr, second = nullptr;
  CUevent start = nullptr, end = nullptr;
  CHECK(cuStreamCreate(&first, 1));
  CHECK(cuStreamCreate(&second, 1));
  CHECK(cuEventCreate(&start, 0));
  CHECK(cuEventCreate(&end, 0));
  CHECK(cuEventRecord(start, first));
  enqueue_add_one(module.function("add_one"), data.address(), first);
  CHECK(cuEventRecord(end, first));
  CHECK(cuStreamWaitEvent(second, end, 0));
  const PinnedInts host(32);
  CHECK(cuMemcpyDtoHAsync_v2(host.values, data.address(), 128, second));
  float milliseconds = -1;
  REQUIRE(cuEventElapsedTime(&milliseconds, start, end) == CUDA_ERROR_NOT_READY);
  CHECK(cuStreamSynchronize(second));
  REQUIRE(host.values[0] == 1);
  CHECK(cuEventElapsedTime(&milliseconds, start, end));
  REQUIRE(milliseconds >= 0);
  for (CUevent event : {start, end}) CHECK(cuEventDestroy_v2(event));
  for (CUstream stream : {first, second}) CHECK(cuStreamDestroy_v2(stream));
}

SIM_TEST(a_host_function_is_called_without_synchronisation) {
  const PtxModule module(kAddOne);
  const DeviceArray<int> data(std::vector<int>(32, 0));
  const PinnedInts host(32);
  static std::atomic<bool> is_called;
  is_called = false;
  enqueue_add_one(module.function("add_one"), data.address(), nullptr);
  CHECK(cuMemcpyDtoHAsync_v2(host.values, data.address(), 128, nullptr));
  CHECK(cuLaunchHostFunc(nullptr, [](void*) { is_called = true; }, nullptr));
  for (int i = 0; i < 2000 && !is_called; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  REQUIRE(is_called);
  REQUIRE(host.values[0] == 1);
}

SIM_TEST(memory_is_limited_counted_and_reused) {
  const Environment environment{{"MEMORY_LIMIT", "1000000"}};
  size_t free_before = 0, free_after = 0, total = 0;
  CHECK(cuMemGetInfo_v2(&free_before, &total));
  REQUIRE(total == 1000000);
  CUdeviceptr address = 0, refused = 0;
  CHECK(cuMemAlloc_v2(&address, 900000));
  REQUIRE(address % 256 == 0);
  REQUIRE(cuMemAlloc_v2(&refused, 200000) == CUDA_ERROR_OUT_OF_MEMORY);
  CHECK(cuMemFree_v2(address));
  REQUIRE(cuMemFree_v2(address) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuMemGetInfo_v2(&free_after, &total));
  REQUIRE(free_before == free_after);
}

SIM_TEST(copies_are_checked_against_their_allocation) {
  const DeviceArray<int> data(32);
  std::vector<int> host(64);
  REQUIRE(cuMemcpyHtoD_v2(data.address(), host.data(), 132) == CUDA_ERROR_INVALID_VALUE);
  REQUIRE(cuMemcpyDtoH_v2(host.data(), data.address() + 4, 128) == CUDA_ERROR_INVALID_VALUE);
  REQUIRE(cuMemsetD32Async(data.address(), 7, 33, nullptr) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuMemsetD32Async(data.address(), 7, 32, nullptr));
  CHECK(cuMemsetD8Async(data.address(), 0, 4, nullptr));
  REQUIRE(data.download()[0] == 0 && data.download()[1] == 7);
}

SIM_TEST(launches_are_checked_against_the_limits) {
  const PtxModule module(kAddOne);
  const CUfunction function = module.function("add_one");
  const DeviceArray<int> data(std::vector<int>(64, 0));
  REQUIRE(launch(function, {1, 65}, data.address()) == CUDA_ERROR_INVALID_VALUE);
  REQUIRE(launch(function, {0, 32}, data.address()) == CUDA_ERROR_INVALID_VALUE);
  REQUIRE(launch(function, {1, 32, 48 * 1024 + 4}, data.address()) == CUDA_ERROR_INVALID_VALUE);
  REQUIRE(cuFuncSetAttribute(function, 8, 100 * 1024) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuFuncSetAttribute(function, 8, 99 * 1024));
  CHECK(launch(function, {1, 32, 99 * 1024}, data.address()));
  int threads = 0, blocks = 0;
  CHECK(cuFuncGetAttribute(&threads, 0, function));
  REQUIRE(threads == 64);
  CHECK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 64, 48 * 1024));
  REQUIRE(blocks == 2);
}

SIM_TEST(an_unknown_instruction_fails_to_load_and_names_its_line) {
  std::string text(kAddOne);
  text.replace(text.find("add.u32"), 7, "frob.u32");
  char log[256] = {};
  CUjit_option options[] = {5, 6};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  CUmodule module = nullptr;
  REQUIRE(cuModuleLoadDataEx(&module, text.c_str(), 2, options, values) == CUDA_ERROR_INVALID_PTX);
  REQUIRE_MESSAGE(std::strstr(log, "PTX line 15: unsupported instruction: frob.u32 %r2, %r2, 1"),
                  log);
  REQUIRE(cuModuleLoadData(&module, "not a module") == CUDA_ERROR_INVALID_PTX);
}

SIM_TEST(a_thread_without_a_context_is_refused) {
  CUresult result = CUDA_SUCCESS;
  std::thread([&] { result = cuCtxSynchronize(); }).join();
  REQUIRE(result == CUDA_ERROR_INVALID_CONTEXT);
}

SIM_TEST(the_profile_counts_sectors) {
  const std::string path = "sim_test_profile.json";
  const Environment environment{{"PROFILE", path.c_str()}};
  const PtxModule module(kAddOne);
  const DeviceArray<int> data(std::vector<int>(32, 0));
  CHECK(launch(module.function("add_one"), {1, 32}, data.address()));
  REQUIRE(cudaSimWriteProfile() == 0);
  std::ifstream file(path);
  const std::string json{std::istreambuf_iterator<char>(file), {}};
  REQUIRE_MESSAGE(json.find("\"warpInstructions\": 8") != std::string::npos, json);
  REQUIRE_MESSAGE(json.find("\"sectors\": 4, \"sectorsPerIdeal\": 1.000") != std::string::npos,
                  json);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace cudasim::test
