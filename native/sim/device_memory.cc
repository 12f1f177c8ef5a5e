#include "device_memory.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "settings.h"

namespace cudasim {
namespace {

constexpr uint64_t kPage = 4096;

// Raised by every release so that the per-thread answers of find() expire.
std::atomic<uint64_t> g_generation{1};

struct CachedAllocation {
  Allocation allocation;
  uint64_t generation = 0;
};
thread_local CachedAllocation t_cached;

uint64_t round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

uint8_t* map_range(uint64_t bytes, int protection) {
  void* range =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    std::perror("cuda_sim: cannot reserve the device address range");
    std::abort();
  }
  return static_cast<uint8_t*>(range);
}

}  // namespace

DeviceMemory& DeviceMemory::instance() {
  static DeviceMemory& memory = *new DeviceMemory;
  return memory;
}

DeviceMemory::DeviceMemory()
    : base_(reinterpret_cast<uint64_t>(map_range(kArenaBytes, PROT_NONE))),
      arena_(map_range(kArenaBytes, PROT_NONE)),
      initialised_(map_range(kArenaBytes, PROT_READ | PROT_WRITE)),
      top_(kPage) {}

uint64_t DeviceMemory::reserve(uint64_t span) {
  if (top_ + span <= kArenaBytes) {
    const uint64_t start = top_;
    top_ += span;
    return start;
  }
  for (auto it = freed_.begin(); it != freed_.end(); ++it) {
    if (it->second < span) continue;
    const auto [start, bytes] = *it;
    freed_.erase(it);
    if (bytes > span) freed_[start + span] = bytes - span;
    return start;
  }
  return 0;
}

uint64_t DeviceMemory::allocate(uint64_t bytes) {
  std::unique_lock lock(mutex_);
  if (bytes == 0 || bytes > settings().memory_limit ||
      used_bytes_ > settings().memory_limit - bytes) {
    return 0;
  }
  // The aligned end of the allocation touches a guard page; the last, shorter stretch is checked by
  // size.
  const uint64_t body = round_up(bytes, kAlignment), mapped = round_up(body, kPage);
  const uint64_t start = reserve(mapped + kPage);
  if (start == 0) return 0;
  const uint64_t offset = start + (mapped - body);
  if (mprotect(arena_ + start, mapped, PROT_READ | PROT_WRITE) != 0) return 0;
  std::memset(arena_ + start, 0xff, mapped);
  if (settings().check) std::memset(initialised_ + offset, 0, bytes);
  const Allocation allocation{base_ + offset, bytes};
  live_[allocation.address] = allocation;
  used_bytes_ += bytes;
  return allocation.address;
}

bool DeviceMemory::release(uint64_t address) {
  std::unique_lock lock(mutex_);
  const auto it = live_.find(address);
  if (it == live_.end()) return false;
  const uint64_t mapped = round_up(round_up(it->second.bytes, kAlignment), kPage);
  const uint64_t start = (address - base_) / kPage * kPage;
  madvise(arena_ + start, mapped, MADV_DONTNEED);
  mprotect(arena_ + start, mapped, PROT_NONE);
  if (settings().check) madvise(initialised_ + start, mapped, MADV_DONTNEED);
  used_bytes_ -= it->second.bytes;
  live_.erase(it);
  uint64_t span = mapped + kPage;
  auto next = freed_.lower_bound(start);
  if (next != freed_.end() && next->first == start + span) {
    span += next->second;
    next = freed_.erase(next);
  }
  if (next != freed_.begin() && std::prev(next)->first + std::prev(next)->second == start) {
    std::prev(next)->second += span;
  } else {
    freed_[start] = span;
  }
  g_generation.fetch_add(1, std::memory_order_release);
  return true;
}

Allocation DeviceMemory::find(uint64_t address) const {
  const uint64_t generation = g_generation.load(std::memory_order_acquire);
  if (t_cached.generation == generation && t_cached.allocation.contains(address, 1)) {
    return t_cached.allocation;
  }
  std::shared_lock lock(mutex_);
  auto it = live_.upper_bound(address);
  if (it == live_.begin()) return {};
  --it;
  if (!it->second.contains(address, 1)) return {};
  t_cached = {it->second, generation};
  return it->second;
}

std::string DeviceMemory::describe(uint64_t address) const {
  char text[160];
  std::shared_lock lock(mutex_);
  const uint64_t offset = address - base_;
  if (offset >= kArenaBytes) {
    std::snprintf(text, sizeof text, "%s 0x%llx",
                  address < kPage ? "the null pointer" : "a host pointer",
                  static_cast<unsigned long long>(address));
    return text;
  }
  auto it = live_.upper_bound(address);
  const bool has_below = it != live_.begin();
  if (has_below) --it;
  if (has_below && it->second.contains(address, 1)) {
    std::snprintf(text, sizeof text, "offset %llu of a %llu-byte allocation",
                  static_cast<unsigned long long>(address - it->second.address),
                  static_cast<unsigned long long>(it->second.bytes));
    return text;
  }
  auto freed = freed_.upper_bound(offset);
  if (freed != freed_.begin() && offset - std::prev(freed)->first < std::prev(freed)->second) {
    return "memory that was freed";
  }
  if (has_below) {
    std::snprintf(text, sizeof text, "%llu bytes past the end of a %llu-byte allocation",
                  static_cast<unsigned long long>(address - it->second.address - it->second.bytes),
                  static_cast<unsigned long long>(it->second.bytes));
    return text;
  }
  return "an address below every allocation";
}

void DeviceMemory::mark_initialised(uint64_t address, uint64_t bytes) {
  if (settings().check) std::memset(initialised_at(address), 1, bytes);
}

}  // namespace cudasim
