// Byte-exact race, initialisation and async-copy checks of one block's shared memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/sync_clock.h"

namespace cudasim {

class Block;
struct Instruction;
struct Warp;

enum class AccessKind : uint8_t { kRead, kWrite, kAtomic };

class SharedChecker {
 public:
  void begin_block(uint32_t shared_bytes, const SyncClock& clock);

  /** One lane's access; bounds and alignment have been checked. */
  void access(Warp& warp, const Instruction& in, int lane, uint32_t offset, uint32_t bytes,
              AccessKind kind);
  /** cp.async: the destination may change from now on ... */
  void issue_copy(Warp& warp, const Instruction& in, int lane, uint32_t offset, uint32_t bytes);
  /** ... until the issuing thread has waited for it. `in` is the wait. */
  void land_copy(Warp& warp, const Instruction& in, int lane, uint32_t offset, uint32_t bytes);

 private:
  static constexpr uint16_t kNoThread = 0xffff, kManyThreads = 0xfffe;

  // State of one 4-byte word, or of one byte where the bytes of a word differ.
  struct Cell {
    uint32_t write_time, write_pc;
    uint32_t read_time, read_pc;
    uint32_t read_warps;  // bit per warp that read since the last write
    uint16_t write_thread;
    uint16_t read_thread;  // when a single thread read
    bool is_initialised, is_in_flight, is_atomic, is_split;

    bool operator==(const Cell&) const = default;
  };

  struct Accessor {
    Warp& warp;
    const Instruction& in;
    int lane;
    uint32_t thread, pc, time;
    AccessKind kind;
    bool is_landing;
  };

  void visit(const Accessor& by, uint32_t offset, uint32_t bytes);
  void visit_cell(const Accessor& by, Cell& cell, uint32_t offset);
  void read_cell(const Accessor& by, Cell& cell, uint32_t offset);
  void write_cell(const Accessor& by, Cell& cell, uint32_t offset);
  void set_in_flight(uint32_t offset, uint32_t bytes, bool value);
  template <typename Body>
  void for_cells(uint32_t offset, uint32_t bytes, Body body);
  bool is_ordered(const Accessor& by, uint32_t other_warp, uint32_t other_time) const;
  void report_race(const Accessor& by, const char* kind, uint32_t offset, uint32_t other_thread,
                   uint32_t other_pc);

  static Cell untouched();

  std::vector<Cell> words_, bytes_;
  const SyncClock* clock_ = nullptr;
};

}  // namespace cudasim
