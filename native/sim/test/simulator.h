// A thin host side for the tests: arrays, launches, the simulator's settings and findings.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "driver/cuda_abi.h"

namespace cudasim::test {

/** Thrown by a test that cannot run here, e.g. without nvcc. */
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct TestCase {
  const char* name;
  void (*run)();
};

/** The test file registers its cases; sim_test.cc runs them. */
std::vector<TestCase>& test_cases();
struct Register {
  Register(const char* name, void (*run)()) { test_cases().push_back({name, run}); }
};

#define SIM_TEST(name)                                \
  static void name();                                 \
  static const Register register_##name(#name, name); \
  static void name()

/** @throws std::runtime_error with file and line when `condition` is false. */
void require(bool condition, const std::string& what, const char* file, int line);
#define REQUIRE(condition) require((condition), #condition, __FILE__, __LINE__)
#define REQUIRE_MESSAGE(condition, message) require((condition), (message), __FILE__, __LINE__)

/** @throws std::runtime_error when the driver returns an error. */
void check(CUresult result, const char* what);
#define CHECK(call) check((call), #call)

/** Sets CUDA_SIM_* variables, named without the prefix, and resets; undone by the destructor. */
class Environment {
 public:
  explicit Environment(std::initializer_list<std::pair<const char*, const char*>> variables);
  ~Environment();

 private:
  std::vector<std::string> names_;
};

/** The fatbin that nvcc made of test/<name>.cu. @throws Skip when there is none. */
class TestModule {
 public:
  explicit TestModule(const std::string& name);
  ~TestModule();
  TestModule(const TestModule&) = delete;
  TestModule& operator=(const TestModule&) = delete;

  CUmodule handle() const { return module_; }
  CUfunction function(const char* name) const;

 private:
  CUmodule module_ = nullptr;
};

template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count) : count_(count) {
    CHECK(cuMemAlloc_v2(&address_, count * sizeof(T)));
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    upload(values);
  }
  ~DeviceArray() { cuMemFree_v2(address_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  CUdeviceptr address() const { return address_; }
  void upload(const std::vector<T>& values) {
    CHECK(cuMemcpyHtoD_v2(address_, values.data(), values.size() * sizeof(T)));
  }
  std::vector<T> download() const {
    std::vector<T> values(count_);
    CHECK(cuMemcpyDtoH_v2(values.data(), address_, count_ * sizeof(T)));
    return values;
  }

 private:
  CUdeviceptr address_ = 0;
  size_t count_;
};

struct Shape {
  unsigned blocks = 1, threads = 32, dynamic_shared = 0;
};

/** Launches on the default stream; returns what the synchronisation after it returns. */
template <typename... Args>
CUresult launch(CUfunction function, Shape shape, Args... args) {
  void* parameters[] = {&args..., nullptr};
  const CUresult error = cuLaunchKernel(function, shape.blocks, 1, 1, shape.threads, 1, 1,
                                        shape.dynamic_shared, nullptr, parameters, nullptr);
  return error ? error : cuCtxSynchronize();
}

/** All findings since the last reset, one per line. */
std::string findings();

/** Reproducible numbers for test data. */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 1) {}
  uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  /** In (-1, 1). */
  float uniform() {
    return static_cast<float>(static_cast<int64_t>(bits() >> 11) % 1000001 - 500000) / 500001.0f;
  }

 private:
  uint64_t state_;
};

}  // namespace cudasim::test
