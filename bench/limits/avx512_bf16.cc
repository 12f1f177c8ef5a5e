#include <immintrin.h>

#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

constexpr int kSums = 12;
constexpr int kLanes = 16;
// Each lane adds the products of two pairs.
constexpr int kFlopsPerLane = 4;

bool available() { return __builtin_cpu_supports("avx512bf16"); }

void run(int64_t steps) {
  const __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.25f));
  const __m512bh b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-4f), _mm512_set1_ps(-1e-4f));
  __m512 sums[kSums];
  for (__m512& sum : sums) sum = _mm512_set1_ps(0.5f);
  for (int64_t step = 0; step < steps; ++step) {
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, a, b);
  }
  for (const __m512& sum : sums) FRAMEPACK_KEEP(sum);
}

}  // namespace

const RegisterProbe kDotAvx512Bf16 = {
    "dot product", "avx512", "bf16", kSums * kLanes * double{kFlopsPerLane}, available, run};

}  // namespace framepack::limits
