#include "check/global_checker.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "device_memory.h"
#include "exec/block.h"

namespace cudasim {
namespace {

enum Flags : uint16_t {
  kThreadMask = 0x3ff,
  kAtomic = 0x400,
  kManyThreads = 0x800,  // several threads of one warp read, and nothing orders them yet
  kManyWarps = 0x1000,
  kManyBlocks = 0x4000,
  kSplit = 0x2000,  // the word's bytes differ; see Shadow::bytes
};

class SpinLock {
 public:
  void lock() {
    while (flag_.test_and_set(std::memory_order_acquire)) {
    }
  }
  void unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_ = ATOMIC_FLAG_INIT;
};

template <typename T>
T* map_shadow(uint64_t count) {
  void* range = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    std::perror("cuda_sim: cannot reserve the race shadow");
    std::abort();
  }
  return static_cast<T*>(range);
}

}  // namespace

// Who accessed last. Only records of the running launch mean anything.
struct GlobalChecker::Record {
  uint16_t launch;
  uint16_t thread;  // with Flags
  uint32_t block;
  uint32_t time;
  uint32_t pc;

  bool operator==(const Record&) const = default;
};

struct GlobalChecker::Cell {
  Record write, read;
};

struct GlobalChecker::Shadow {
  Cell* words = map_shadow<Cell>(DeviceMemory::kArenaBytes / 4);
  Cell* bytes = map_shadow<Cell>(DeviceMemory::kArenaBytes);
  std::array<SpinLock, 1024> locks;

  static Shadow& instance() {
    static Shadow& shadow = *new Shadow;
    return shadow;
  }
};

struct GlobalChecker::Accessor {
  Warp& warp;
  const Instruction& in;
  int lane;
  AccessKind kind;
  Record record;

  bool conflicts_with(const Record& other) const {
    if (other.launch != record.launch) return false;
    if ((other.thread & kAtomic) && kind == AccessKind::kAtomic) return false;
    if (other.block != record.block) return true;
    return (other.thread & kThreadMask) != (record.thread & kThreadMask) && !is_after(other);
  }

  /** For a record of the same block. */
  bool is_after(const Record& other) const {
    const SyncClock& clock = warp.block->clock();
    if (other.thread & kManyWarps) return clock.is_ordered_with_all(warp.index, other.time);
    return clock.is_ordered(warp.index, (other.thread & kThreadMask) / kLanes, other.time);
  }

  void report_race(const char* race, uint64_t address, const Record& other) const {
    Block& block = *warp.block;
    block.report(warp, in, lane, Finding::kRace,
                 std::string(race) + " race on global memory, " +
                     DeviceMemory::instance().describe(address) + ", conflicts with block #" +
                     std::to_string(other.block) + " thread " +
                     std::to_string(other.thread & kThreadMask) + " at " + block.location(other.pc),
                 other.pc + 1);
  }
};

void GlobalChecker::access(Warp& warp, const Instruction& in, int lane, uint64_t address,
                           uint32_t bytes, AccessKind kind) {
  Block& block = *warp.block;
  DeviceMemory& memory = DeviceMemory::instance();
  uint8_t* initialised = memory.initialised_at(address);
  if (kind == AccessKind::kWrite) {
    std::memset(initialised, 1, bytes);
  } else if (const void* hole = std::memchr(initialised, 0, bytes)) [[unlikely]] {
    const uint64_t at =
        address + static_cast<uint64_t>(static_cast<const uint8_t*>(hole) - initialised);
    block.report(warp, in, lane, Finding::kUninitialised,
                 "read of uninitialised global memory at " + memory.describe(at));
    std::memset(initialised, 1, bytes);
  }
  Accessor by{warp, in, lane, kind, {}};
  by.record.launch = static_cast<uint16_t>(block.launch().id);
  by.record.thread = static_cast<uint16_t>(warp.index * kLanes + static_cast<uint32_t>(lane));
  if (kind == AccessKind::kAtomic) by.record.thread |= kAtomic;
  by.record.block = block.index();
  by.record.time = block.clock().now();
  by.record.pc = block.pc_of(in);

  Shadow& shadow = Shadow::instance();
  const uint64_t offset = memory.offset_of(address);
  std::lock_guard guard(shadow.locks[(offset >> 8) % shadow.locks.size()]);
  for (uint64_t at = offset; at < offset + bytes;) {
    const uint32_t first = at & 3;
    const uint32_t count =
        static_cast<uint32_t>(std::min<uint64_t>(4 - first, offset + bytes - at));
    visit_word(by, shadow.words[at / 4], address - first + (at - offset), first, count);
    at += count;
  }
}

void GlobalChecker::forget_all() {
  Shadow& shadow = Shadow::instance();
  madvise(shadow.words, DeviceMemory::kArenaBytes / 4 * sizeof(Cell), MADV_DONTNEED);
  madvise(shadow.bytes, DeviceMemory::kArenaBytes * sizeof(Cell), MADV_DONTNEED);
}

void GlobalChecker::visit_word(const Accessor& by, Cell& word, uint64_t word_address,
                               uint32_t first, uint32_t count) {
  const bool is_split = (word.write.thread & kSplit) && word.write.launch == by.record.launch;
  if (!is_split && count == 4) {
    visit(by, word, word_address);
    return;
  }
  Cell* bytes = Shadow::instance().bytes + DeviceMemory::instance().offset_of(word_address);
  if (!is_split) {
    for (int i = 0; i < 4; ++i) bytes[i] = word;
    word.write.thread |= kSplit;
    word.write.launch = by.record.launch;
  }
  for (uint32_t i = first; i < first + count; ++i) visit(by, bytes[i], word_address + i);
}

inline void GlobalChecker::visit(const Accessor& by, Cell& cell, uint64_t address) {
  const Record& mine = by.record;
  if (by.conflicts_with(cell.write)) [[unlikely]] {
    by.report_race(by.kind == AccessKind::kRead ? "read-after-write" : "write-after-write", address,
                   cell.write);
  }
  Record& read = cell.read;
  const bool has_readers = read.launch == mine.launch;
  if (by.kind != AccessKind::kRead) {
    const bool several = (read.thread & kManyBlocks) ||
                         ((read.thread & (kManyThreads | kManyWarps)) && !by.is_after(read));
    if ((has_readers && several) || by.conflicts_with(read)) [[unlikely]] {
      by.report_race("write-after-read", address, read);
    }
    cell.write = mine;
    return;
  }
  uint16_t flags = 0;
  if (has_readers) {
    flags = read.thread & kManyBlocks;
    if (read.block != mine.block) {
      flags |= kManyBlocks;
    } else if (!by.is_after(read)) {
      const uint32_t other = read.thread & kThreadMask, thread = mine.thread & kThreadMask;
      flags |= read.thread & (kManyThreads | kManyWarps);
      if (other != thread) flags |= kManyThreads;
      if (other / kLanes != thread / kLanes) flags |= kManyWarps;
    }
  }
  read = mine;
  read.thread |= flags;
}

}  // namespace cudasim
