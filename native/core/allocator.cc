#include "allocator.h"

#include <algorithm>
#include <string>

#include "error.h"

namespace framepack {
namespace {

constexpr size_t kGranularity = 256;
// A cached block may be larger than the request by this share of the request; beyond it a new block
// is cheaper than the waste.
constexpr size_t kWasteDivisor = 8;
// The source is asked for at most the high-water mark of live bytes, a quarter more, and this.
constexpr size_t kCacheSlackBytes = size_t{64} << 20;

size_t round_up(size_t bytes) {
  if (bytes > SIZE_MAX - kGranularity) {
    throw Error(kErrOutOfMemory, "allocate",
                "bytes expected an addressable amount, got " + std::to_string(bytes));
  }
  return (bytes + kGranularity - 1) / kGranularity * kGranularity;
}

}  // namespace

Allocator::Allocator(MemorySource* source, size_t budget_bytes)
    : source_(source), budget_bytes_(budget_bytes) {}

Block Allocator::allocate(size_t bytes) {
  const size_t rounded = round_up(bytes);
  count(rounded);
  if (source_ == nullptr || rounded == 0) return {nullptr, rounded, 0};
  Block block = take_cached(rounded);
  try {
    if (block.data == nullptr) block = take_fresh(rounded);
  } catch (...) {
    discharge({nullptr, rounded, 0});
    throw;
  }
  if (block.data == nullptr) {
    discharge({nullptr, rounded, 0});
    throw Error(kErrOutOfMemory, "allocate",
                "memory expected " + std::to_string(rounded) + " free bytes, got none with " +
                    std::to_string(current_bytes_) + " in use");
  }
  live_.emplace(block.data, block.capacity);
  return block;
}

void Allocator::release(const Block& block) {
  discharge(block);
  if (block.data == nullptr) return;
  live_.erase(block.data);
  cache_.emplace(block.capacity, CachedBlock{block.data, ++clock_});
}

Block Allocator::charge(size_t bytes) {
  const size_t rounded = round_up(bytes);
  count(rounded);
  return {nullptr, rounded, 0};
}

void Allocator::discharge(const Block& block) {
  current_bytes_ -= block.bytes;
  --live_blocks_;
}

void Allocator::count(size_t bytes) {
  if (bytes > budget_bytes_ || current_bytes_ > budget_bytes_ - bytes) {
    throw Error(kErrOutOfMemory, "allocate",
                "budget expected at most " + std::to_string(budget_bytes_) + " bytes, got " +
                    std::to_string(current_bytes_) + " in use and a request for " +
                    std::to_string(bytes));
  }
  current_bytes_ += bytes;
  ++live_blocks_;
  peak_bytes_ = std::max(peak_bytes_, current_bytes_);
  high_water_bytes_ = std::max(high_water_bytes_, current_bytes_);
}

Block Allocator::take_cached(size_t bytes) {
  const auto found = cache_.lower_bound(bytes);
  if (found == cache_.end() || found->first - bytes > bytes / kWasteDivisor) return {};
  const Block block{found->second.data, bytes, found->first};
  cache_.erase(found);
  return block;
}

Block Allocator::take_fresh(size_t bytes) {
  const size_t limit =
      std::min(high_water_bytes_ + high_water_bytes_ / 4 + kCacheSlackBytes, budget_bytes_);
  evict_down_to(limit > bytes ? limit - bytes : 0);
  void* data = source_->allocate(bytes);
  if (data == nullptr) {
    trim();
    source_->drain();
    data = source_->allocate(bytes);
  }
  if (data == nullptr) return {};
  reserved_bytes_ += bytes;
  return {data, bytes, bytes};
}

void Allocator::evict_down_to(size_t reserved_bytes) {
  while (reserved_bytes_ > reserved_bytes && !cache_.empty()) evict_oldest();
}

void Allocator::evict_oldest() {
  const auto oldest = std::min_element(
      cache_.begin(), cache_.end(),
      [](const auto& a, const auto& b) { return a.second.freed_at < b.second.freed_at; });
  reserved_bytes_ -= oldest->first;
  source_->release(oldest->second.data);
  cache_.erase(oldest);
}

void Allocator::trim() {
  for (const auto& [capacity, block] : cache_) {
    reserved_bytes_ -= capacity;
    source_->release(block.data);
  }
  cache_.clear();
}

void Allocator::release_all() {
  current_bytes_ = 0;
  live_blocks_ = 0;
  trim();
  for (const auto& [data, capacity] : live_) {
    reserved_bytes_ -= capacity;
    source_->release(data);
  }
  live_.clear();
}

MemoryStats Allocator::stats() const {
  return {current_bytes_, peak_bytes_, budget_bytes_, live_blocks_};
}

}  // namespace framepack
