// Device memory. Device addresses lie in a range that the host can never touch; the bytes live in a
// second range at a constant distance, so a host pointer used on the device, or the reverse, is
// always caught.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>

namespace cudasim {

struct Allocation {
  uint64_t address = 0;
  uint64_t bytes = 0;

  /** No overflow: `address` 0 and `bytes` 0 contain nothing. */
  bool contains(uint64_t at, uint64_t count) const {
    return at - address < bytes && count <= bytes - (at - address);
  }
};

/** Like every singleton here never destroyed: a thread may still be at work at exit. */
class DeviceMemory {
 public:
  static constexpr uint64_t kArenaBytes = uint64_t{64} << 30;
  static constexpr uint64_t kAlignment = 256;

  static DeviceMemory& instance();

  /** 0 when the memory limit or the arena is exhausted. Contents are 0xFF (NaN) and uninitialised.
   */
  uint64_t allocate(uint64_t bytes);
  /** False when `address` is not the start of a live allocation. */
  bool release(uint64_t address);

  /** The allocation around `address`, or an empty one. Lock-free when the previous answer still
   * fits. */
  Allocation find(uint64_t address) const;
  /** Where `address` is: "offset 12 of a 64-byte allocation", "a host pointer", ... */
  std::string describe(uint64_t address) const;

  uint8_t* bytes_at(uint64_t address) const { return arena_ + (address - base_); }
  uint64_t offset_of(uint64_t address) const { return address - base_; }

  /** One byte per arena byte, 1 where something was written. Only kept while checks are on. */
  uint8_t* initialised_at(uint64_t address) const { return initialised_ + (address - base_); }
  void mark_initialised(uint64_t address, uint64_t bytes);

  uint64_t used_bytes() const { return used_bytes_; }

 private:
  DeviceMemory();
  uint64_t reserve(uint64_t span);

  uint64_t base_ = 0;         // first device address; never mapped readable
  uint8_t* arena_ = nullptr;  // backing bytes of base_
  uint8_t* initialised_ = nullptr;
  uint64_t top_ = 0;  // arena offset of the first page never used
  std::atomic<uint64_t> used_bytes_ = 0;
  mutable std::shared_mutex mutex_;
  std::map<uint64_t, Allocation> live_;
  std::map<uint64_t, uint64_t>
      freed_;  // span start -> span bytes; reused only when the arena is full
};

}  // namespace cudasim
