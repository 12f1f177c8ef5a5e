#include "bench/limits/memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "bench/limits/clock.h"
#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

constexpr size_t kAlignment = 4096;
constexpr size_t kMegabyte = size_t{1} << 20;

size_t cache_bytes(int name, size_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? static_cast<size_t>(bytes) : otherwise;
}

ReadLoop widest_read() {
#if defined(FRAMEPACK_LIMITS_AVX512)
  if (kFmaAvx512.available()) return read_avx512;
#endif
#if defined(FRAMEPACK_LIMITS_AVX2)
  if (kFmaAvx2.available()) return read_avx2;
#endif
  return read_portable;
}

// Passes over a buffer until `seconds` are over; the clock is looked at seldom enough not to matter.
template <typename Pass>
double passes_per_second(double seconds, Pass pass) {
  pass(1);
  int64_t done = 0;
  int64_t batch = 1;
  const double start = now();
  double elapsed = 0;
  while (elapsed < seconds) {
    pass(batch);
    done += batch;
    elapsed = now() - start;
    if (elapsed < seconds / 16) batch *= 2;
  }
  return static_cast<double>(done) / elapsed;
}

}  // namespace

size_t working_set(Level level, int threads) {
  const size_t l1 = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  const size_t l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, kMegabyte);
  const size_t l3 = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 16 * kMegabyte);
  switch (level) {
    case Level::kL1: return l1 / 2;
    case Level::kL2: return l2 / 2;
    case Level::kL3:
      return std::max(2 * l2, l3 / 2 / static_cast<size_t>(threads) / kAlignment * kAlignment);
    case Level::kDram:
      return std::max(64 * kMegabyte,
                      4 * l3 / static_cast<size_t>(threads) / kAlignment * kAlignment);
  }
  return l1 / 2;
}

Stream::Stream(size_t bytes) : bytes_(bytes / kAlignment * kAlignment) {
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes_)));
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_.get(), 1, bytes_);
}

void Stream::Free::operator()(std::byte* data) const { std::free(data); }

double Stream::read(double seconds) const {
  const ReadLoop loop = widest_read();
  const double rate =
      passes_per_second(seconds, [&](int64_t passes) { loop(data_.get(), bytes_, passes); });
  return rate * static_cast<double>(bytes_);
}

double Stream::copy(double seconds) const {
  const size_t half = bytes_ / 2;
  const double rate = passes_per_second(seconds, [&](int64_t passes) {
    for (int64_t pass = 0; pass < passes; ++pass) {
      std::memcpy(data_.get() + half, data_.get(), half);
      asm volatile("" : : : "memory");
    }
  });
  return rate * static_cast<double>(2 * half);
}

}  // namespace framepack::limits
