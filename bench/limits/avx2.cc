#include <immintrin.h>

#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

// Latency times throughput is eight to ten independent sums on the processors of today.
constexpr int kSums = 12;
constexpr int kLanes = 8;

bool available() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

void run(int64_t steps) {
  const __m256 factor = _mm256_set1_ps(0.999f);
  const __m256 term = _mm256_set1_ps(1e-4f);
  __m256 sums[kSums];
  for (__m256& sum : sums) sum = _mm256_set1_ps(0.5f);
  for (int64_t step = 0; step < steps; ++step) {
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, term);
  }
  for (const __m256& sum : sums) FRAMEPACK_KEEP(sum);
}

}  // namespace

const RegisterProbe kFmaAvx2 = {"fma", "avx2", "f32", kSums * kLanes * 2.0, available, run};

void read_avx2(const std::byte* data, size_t bytes, int64_t passes) {
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (size_t at = 0; at < bytes; at += 128) {
      const auto* line = reinterpret_cast<const __m256i*>(data + at);
      FRAMEPACK_KEEP(_mm256_load_si256(line));
      FRAMEPACK_KEEP(_mm256_load_si256(line + 1));
      FRAMEPACK_KEEP(_mm256_load_si256(line + 2));
      FRAMEPACK_KEEP(_mm256_load_si256(line + 3));
    }
  }
}

}  // namespace framepack::limits
