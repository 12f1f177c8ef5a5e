#include <immintrin.h>

#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

constexpr int kSums = 12;
constexpr int kLanes = 16;

bool available() { return __builtin_cpu_supports("avx512f"); }

void run(int64_t steps) {
  const __m512 factor = _mm512_set1_ps(0.999f);
  const __m512 term = _mm512_set1_ps(1e-4f);
  __m512 sums[kSums];
  for (__m512& sum : sums) sum = _mm512_set1_ps(0.5f);
  for (int64_t step = 0; step < steps; ++step) {
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, term);
  }
  for (const __m512& sum : sums) FRAMEPACK_KEEP(sum);
}

}  // namespace

const RegisterProbe kFmaAvx512 = {"fma", "avx512", "f32", kSums * kLanes * 2.0, available, run};

void read_avx512(const std::byte* data, size_t bytes, int64_t passes) {
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (size_t at = 0; at < bytes; at += 256) {
      FRAMEPACK_KEEP(_mm512_load_si512(data + at));
      FRAMEPACK_KEEP(_mm512_load_si512(data + at + 64));
      FRAMEPACK_KEEP(_mm512_load_si512(data + at + 128));
      FRAMEPACK_KEEP(_mm512_load_si512(data + at + 192));
    }
  }
}

}  // namespace framepack::limits
