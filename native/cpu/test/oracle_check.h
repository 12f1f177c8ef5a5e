// Runs one operation at every level of this machine, with one and with three threads, and compares
// it with the oracle. Used by the tests of the operation families; no Node involved.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../../core/dtype.h"
#include "../cpu_context.h"
#include "../isa/kernel_table.h"

#if defined(FRAMEPACK_EMULATED)
namespace framepack::cpu::isa {
const GemmKernels* gemm_table_emulated_amx();
const GemmKernels* gemm_table_emulated_fp16();
}  // namespace framepack::cpu::isa
#endif

namespace framepack::cpu::test {

// Elements of one type with seeded values in [-1, 1), times `scale`.
class Data {
 public:
  Data(long long count, DType dtype, float scale, uint32_t seed)
      : dtype_(dtype), bytes_(static_cast<size_t>(count * size_of(dtype))) {
    uint32_t state = seed * 2654435761u + 1u;
    for (long long i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      const float unit = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
      store_f32(bytes_.data(), dtype, i, unit * scale);
    }
  }

  // Multiplies element i by factor(i).
  template <class Factor>
  void multiply(Factor factor) {
    const auto count = static_cast<long long>(bytes_.size()) / size_of(dtype_);
    for (long long i = 0; i < count; ++i) {
      store_f32(bytes_.data(), dtype_, i, load_f32(bytes_.data(), dtype_, i) * factor(i));
    }
  }

  void* data() { return bytes_.data(); }
  DType dtype() const { return dtype_; }
  std::vector<char>& bytes() { return bytes_; }

 private:
  DType dtype_;
  std::vector<char> bytes_;
};

inline double relative_error(const std::vector<char>& actual, const std::vector<char>& expected,
                             DType dtype) {
  double difference = 0, size = 0;
  const auto count = static_cast<int64_t>(actual.size()) / size_of(dtype);
  for (int64_t i = 0; i < count; ++i) {
    const double a = load_f32(actual.data(), dtype, i), e = load_f32(expected.data(), dtype, i);
    if (std::isnan(a) != std::isnan(e)) return INFINITY;
    if (std::isnan(a)) continue;
    difference += (a - e) * (a - e);
    size += e * e;
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

inline double tolerance_of(DType dtype) {
  switch (dtype) {
    case DType::kF16: return 6e-4;
    case DType::kBf16: return 4e-3;
    default: return 2e-6;
  }
}

inline int& failures() {
  static int count = 0;
  return count;
}

// Levels of this machine above scalar, AVX-512 without its bf16 kernels, and in a build with
// FRAMEPACK_EMULATED the AMX and the AVX-512-FP16 kernels on emulated instructions.
struct Level {
  std::string name;
  IsaLevel level;
  isa::KernelTable kernels;
};

inline std::vector<Level> levels() {
  std::vector<Level> result;
  for (const IsaLevel level : kIsaLevels) {
    if (level > detect_isa_level() || !kernel_table(level)) continue;
    result.push_back({name_of(level), level, *kernel_table(level)});
    if (!result.back().kernels.bf16) continue;
    result.push_back(result.back());
    result.back().name += " without bf16";
    result.back().kernels.bf16 = nullptr;
  }
#if defined(FRAMEPACK_EMULATED)
  if (detect_isa_level() >= IsaLevel::kAvx512) {
    result.push_back({"emulated amx", IsaLevel::kAvx512, *isa::kernel_table_avx512()});
    result.back().kernels.bf16 = isa::gemm_table_emulated_amx();
    result.push_back({"emulated fp16", IsaLevel::kAvx512, *isa::kernel_table_avx512()});
    result.back().kernels.bf16 = isa::gemm_table_emulated_fp16();
  }
#endif
  return result;
}

// `run(out, context)` computes into `out`; a context without kernels means the oracle. `initial` is
// what out holds before, so that untouched gaps compare equal.
template <class Run>
void check(const std::string& name, const Data& initial, double tolerance, Run run) {
  ThreadPool one(1), three(3);
  Scratch scratch(3);
  Data expected = initial;
  run(expected.data(), CpuContext{one, scratch, nullptr, nullptr, IsaLevel::kScalar});
  for (const Level& level : levels()) {
    const isa::VectorTable* vector = vector_table(level.level);
    Data actual = initial, again = initial;
    run(actual.data(), CpuContext{one, scratch, &level.kernels, vector, level.level});
    run(again.data(), CpuContext{three, scratch, &level.kernels, vector, level.level});
    const double error = relative_error(actual.bytes(), expected.bytes(), initial.dtype());
    const bool is_same = actual.bytes() == again.bytes();
    if (error <= tolerance && is_same) continue;
    ++failures();
    std::printf("FAILED %s at %s: error %.3g, tolerance %.3g%s\n", name.c_str(), level.name.c_str(),
                error, tolerance, is_same ? "" : ", bits depend on the thread count");
  }
}

inline int report(const char* family) {
  std::printf("%s: %s\n", family, failures() == 0 ? "ok" : "failed");
  return failures() == 0 ? 0 : 1;
}

}  // namespace framepack::cpu::test
