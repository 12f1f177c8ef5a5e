#include "bench/limits/probes.h"

namespace framepack::limits {

void read_portable(const std::byte* data, size_t bytes, int64_t passes) {
  for (int64_t pass = 0; pass < passes; ++pass) {
    const auto* words = reinterpret_cast<const uint64_t*>(data);
    uint64_t mixed = 0;
    for (size_t i = 0; i < bytes / sizeof(uint64_t); ++i) mixed ^= words[i];
    asm volatile("" : : "r"(mixed));
  }
}

}  // namespace framepack::limits
