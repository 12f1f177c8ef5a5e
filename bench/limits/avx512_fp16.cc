#include <cpuid.h>
#include <immintrin.h>

#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

constexpr int kSums = 12;
constexpr int kLanes = 32;

// Compilers learned the name of this feature later than its instructions, so the bit is read here. The state of
// its registers is that of AVX-512.
bool available() {
  constexpr unsigned kFp16Bit = 1u << 23;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx512f") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
         (d & kFp16Bit) != 0;
}

void run(int64_t steps) {
  const __m512h factor = _mm512_set1_ph(static_cast<_Float16>(0.99f));
  const __m512h term = _mm512_set1_ph(static_cast<_Float16>(1e-2f));
  __m512h sums[kSums];
  for (__m512h& sum : sums) sum = _mm512_set1_ph(static_cast<_Float16>(0.5f));
  for (int64_t step = 0; step < steps; ++step) {
    for (__m512h& sum : sums) sum = _mm512_fmadd_ph(sum, factor, term);
  }
  for (const __m512h& sum : sums) FRAMEPACK_KEEP(sum);
}

}  // namespace

const RegisterProbe kFmaAvx512Fp16 = {"fma", "avx512-fp16", "f16", kSums * kLanes * 2.0, available,
                                      run};

}  // namespace framepack::limits
