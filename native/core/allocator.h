// A caching allocator for memory that is used in the order of one stream.
//
// A freed block may be handed out again at once: whoever gets it enqueues its work behind the work
// of the previous owner. Statistics count what the program asked for, in steps of 256 bytes, at the
// time of the call. They do not depend on the cache, so every device reports the same peak for the
// same program. All calls come from the thread that owns the device.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

namespace framepack {

// Where blocks come from.
class MemorySource {
 public:
  virtual ~MemorySource() = default;
  // Null when there is no such amount of memory; throws when there is another reason.
  virtual void* allocate(size_t bytes) = 0;
  // Queued work may still use the block, so an implementation defers the release behind that work.
  virtual void release(void* block) = 0;
  // Blocks the caller until every deferred release has happened.
  virtual void drain() = 0;
};

struct Block {
  void* data = nullptr;  // null for zero bytes and without a source
  size_t bytes = 0;      // counted: the request rounded up to 256
  size_t capacity = 0;   // of the memory behind it
};

struct MemoryStats {
  size_t current_bytes;
  size_t peak_bytes;
  size_t budget_bytes;  // kNoBudget without one
  size_t live_blocks;
};

class Allocator {
 public:
  static constexpr size_t kNoBudget = SIZE_MAX;

  // Without a source it only counts.
  Allocator(MemorySource* source, size_t budget_bytes);
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  // Throws ERR_OUT_OF_MEMORY when the budget or the source is exhausted.
  Block allocate(size_t bytes);
  void release(const Block& block);

  // Count memory that comes from elsewhere, such as a mapped file, against the same budget.
  Block charge(size_t bytes);
  void discharge(const Block& block);

  // Gives cached blocks back to the source.
  void trim();
  // Gives everything back, live blocks too. Their owners must not use or release them any more.
  void release_all();

  MemoryStats stats() const;
  void reset_peak() { peak_bytes_ = current_bytes_; }

 private:
  struct CachedBlock {
    void* data;
    uint64_t freed_at;
  };
  using Cache = std::multimap<size_t, CachedBlock>;  // by capacity

  void count(size_t bytes);
  Block take_cached(size_t bytes);
  Block take_fresh(size_t bytes);
  void evict_oldest();
  void evict_down_to(size_t reserved_bytes);

  MemorySource* source_;
  size_t budget_bytes_;
  size_t current_bytes_ = 0;
  size_t peak_bytes_ = 0;
  size_t high_water_bytes_ = 0;  // peak that is never reset: the size the cache may grow to
  size_t live_blocks_ = 0;
  size_t reserved_bytes_ = 0;  // taken from the source: live and cached
  uint64_t clock_ = 0;
  Cache cache_;
  std::unordered_map<void*, size_t> live_;  // capacity by address
};

}  // namespace framepack
