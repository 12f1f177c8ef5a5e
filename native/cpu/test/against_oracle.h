// Runs an operation of the CPU device against its oracle on random arguments, at every instruction
// set of this machine. A second run with another number of threads must give the same bits, and
// bytes outside the output must keep their values.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <random>
#include <vector>

#include "../../core/dtype.h"
#include "../cpu_context.h"

namespace framepack::cpu::test {

constexpr DType kFloats[] = {DType::kF32, DType::kF16, DType::kBf16};
constexpr int kGuard = 64;  // elements kept free behind every buffer

inline int failures = 0;
inline std::mt19937 random_bits(20240);

inline long long pick(std::initializer_list<long long> choices) {
  return choices.begin()[random_bits() % choices.size()];
}
inline DType pick_float() { return kFloats[random_bits() % 3]; }
inline long long extent() {
  return pick({1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 129});
}
inline bool coin() { return random_bits() % 2 == 0; }

class Buffer {
 public:
  Buffer(DType dtype, long long count, double mean = 0)
      : dtype_(dtype), bytes_(static_cast<size_t>((count + kGuard) * size_of(dtype))) {
    std::normal_distribution<double> normal(mean, 1);
    for (long long i = 0; i < count; ++i)
      store_f32(bytes_.data(), dtype, i, static_cast<float>(normal(random_bits)));
  }
  void* data() { return bytes_.data(); }
  long long count() const { return static_cast<long long>(bytes_.size()) / size_of(dtype_); }
  float operator[](long long i) const { return load_f32(bytes_.data(), dtype_, i); }
  DType dtype() const { return dtype_; }
  bool operator==(const Buffer& other) const { return bytes_ == other.bytes_; }

 private:
  DType dtype_;
  std::vector<char> bytes_;
};

struct Contexts {
  ThreadPool one{1}, three{3};
  Scratch one_scratch{1}, three_scratch{3};
  IsaLevel level = IsaLevel::kScalar;
};

// Runs `operation(args, context)` into out, again into a copy with three threads, and the oracle
// into a third copy. Errors are relative to the largest expected magnitude.
template <class Args, class Operation, class Oracle>
void check(Contexts& contexts, const char* name, Args args, Buffer& out, void* Args::* field,
           double tolerance, Operation operation, Oracle oracle) {
  Buffer threaded = out, expected = out;
  const isa::VectorTable* vector = vector_table(contexts.level);
  args.*field = out.data();
  operation(args, CpuContext{contexts.one, contexts.one_scratch, nullptr, vector, contexts.level});
  args.*field = threaded.data();
  operation(args,
            CpuContext{contexts.three, contexts.three_scratch, nullptr, vector, contexts.level});
  args.*field = expected.data();
  oracle(args);
  double largest = 1e-30, worst = 0;
  for (long long i = 0; i < out.count(); ++i) {
    if (std::isnan(out[i]) != std::isnan(expected[i])) worst = INFINITY;
    if (std::isnan(out[i])) continue;
    largest = std::max(largest, static_cast<double>(std::abs(expected[i])));
    worst = std::max(worst, static_cast<double>(std::abs(out[i] - expected[i])));
  }
  const double rounding = out.dtype() == DType::kBf16     ? 0x1p-8
                          : out.dtype() == DType::kF16    ? 0x1p-11
                          : out.dtype() == DType::kF8E4M3 ? 0x1p-4
                                                          : 0;
  const bool is_exact = tolerance == 0;
  const bool holds = is_exact ? out == expected : worst <= (tolerance + rounding) * largest;
  if (holds && out == threaded) return;
  if (++failures < 20)
    std::printf("%s %s: error %.3g of %.3g%s, threads %s\n", name_of(contexts.level), name, worst,
                largest, is_exact ? " (must be exact)" : "", out == threaded ? "agree" : "differ");
}

// Calls every test `rounds` times per level; the exit status of the program.
inline int run_levels(std::initializer_list<void (*)(Contexts&)> tests, int rounds) {
  Contexts contexts;
  for (const IsaLevel level : kIsaLevels) {
    if (level > detect_isa_level() || !vector_table(level)) continue;
    std::printf("at level %s\n", name_of(level));
    contexts.level = level;
    for (int round = 0; round < rounds; ++round)
      for (const auto test : tests) test(contexts);
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace framepack::cpu::test
