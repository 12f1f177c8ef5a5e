#include "check/shared_checker.h"

#include <algorithm>

#include "exec/block.h"

namespace cudasim {

SharedChecker::Cell SharedChecker::untouched() {
  Cell cell{};
  cell.write_thread = kNoThread;
  cell.read_thread = kNoThread;
  return cell;
}

void SharedChecker::begin_block(uint32_t shared_bytes, const SyncClock& clock) {
  words_.assign((shared_bytes + 3) / 4, untouched());
  bytes_.resize(words_.size() * 4);  // filled when a word splits
  clock_ = &clock;
}

bool SharedChecker::is_ordered(const Accessor& by, uint32_t other_warp, uint32_t other_time) const {
  return clock_->is_ordered(by.warp.index, other_warp, other_time);
}

template <typename Body>
void SharedChecker::for_cells(uint32_t offset, uint32_t bytes, Body body) {
  if (bytes < 4) {
    Cell& word = words_[offset / 4];
    if (!word.is_split) {
      std::fill_n(bytes_.begin() + offset / 4 * 4, 4, word);
      word.is_split = true;
    }
    for (uint32_t i = 0; i < bytes; ++i) body(bytes_[offset + i], offset + i);
    return;
  }
  for (uint32_t at = offset; at < offset + bytes; at += 4) {
    Cell& word = words_[at / 4];
    if (!word.is_split) {
      body(word, at);
      continue;
    }
    for (uint32_t i = 0; i < 4; ++i) body(bytes_[at + i], at + i);
    const Cell* cells = &bytes_[at];
    if (cells[0] == cells[1] && cells[0] == cells[2] && cells[0] == cells[3]) {
      word = cells[0];
      word.is_split = false;
    }
  }
}

void SharedChecker::access(Warp& warp, const Instruction& in, int lane, uint32_t offset,
                           uint32_t bytes, AccessKind kind) {
  Block& block = *warp.block;
  visit({warp, in, lane, warp.index * kLanes + static_cast<uint32_t>(lane), block.pc_of(in),
         clock_->now(), kind, false},
        offset, bytes);
}

void SharedChecker::visit(const Accessor& by, uint32_t offset, uint32_t bytes) {
  for_cells(offset, bytes, [&](Cell& cell, uint32_t at) { visit_cell(by, cell, at); });
}

void SharedChecker::issue_copy(Warp& warp, const Instruction& in, int lane, uint32_t offset,
                               uint32_t bytes) {
  access(warp, in, lane, offset, bytes, AccessKind::kWrite);
  set_in_flight(offset, bytes, true);
}

void SharedChecker::land_copy(Warp& warp, const Instruction& in, int lane, uint32_t offset,
                              uint32_t bytes) {
  Block& block = *warp.block;
  set_in_flight(offset, bytes, false);
  visit({warp, in, lane, warp.index * kLanes + static_cast<uint32_t>(lane), block.pc_of(in),
         clock_->now(), AccessKind::kWrite, true},
        offset, bytes);
}

void SharedChecker::set_in_flight(uint32_t offset, uint32_t bytes, bool value) {
  for_cells(offset, bytes, [&](Cell& cell, uint32_t) { cell.is_in_flight = value; });
}

inline void SharedChecker::visit_cell(const Accessor& by, Cell& cell, uint32_t offset) {
  if (cell.is_in_flight) [[unlikely]] {
    Block& block = *by.warp.block;
    block.report(by.warp, by.in, by.lane, Finding::kInFlight,
                 std::string(by.kind == AccessKind::kRead ? "read" : "write") + " of shared byte " +
                     std::to_string(offset) + " while a cp.async to it (issued at " +
                     block.location(cell.write_pc) + ") has not been waited for");
  }
  const bool both_atomic = by.kind == AccessKind::kAtomic && cell.is_atomic;
  if (cell.write_thread != kNoThread && cell.write_thread != by.thread && !both_atomic &&
      !is_ordered(by, cell.write_thread / kLanes, cell.write_time)) [[unlikely]] {
    report_race(by, by.kind == AccessKind::kRead ? "read-after-write" : "write-after-write", offset,
                cell.write_thread, cell.write_pc);
  }
  if (by.kind == AccessKind::kRead) {
    read_cell(by, cell, offset);
  } else {
    write_cell(by, cell, offset);
  }
}

inline void SharedChecker::read_cell(const Accessor& by, Cell& cell, uint32_t offset) {
  if (!cell.is_initialised && !cell.is_in_flight) [[unlikely]] {
    by.warp.block->report(by.warp, by.in, by.lane, Finding::kUninitialised,
                          "read of uninitialised shared byte " + std::to_string(offset));
  }
  const uint32_t warp_bit = 1u << by.warp.index;
  if (cell.read_warps == 0) {
    cell.read_warps = warp_bit;
    cell.read_thread = static_cast<uint16_t>(by.thread);
  } else if (cell.read_thread != by.thread) {
    // Forget readers that are ordered before this one: whoever is ordered after it is after them
    // too.
    bool all_ordered = true;
    if (cell.read_warps & ~warp_bit || cell.read_time != by.time) {
      for_lanes(cell.read_warps, [&](int w) {
        all_ordered &= is_ordered(by, static_cast<uint32_t>(w), cell.read_time);
      });
    } else {
      all_ordered = false;
    }
    cell.read_warps = all_ordered ? warp_bit : cell.read_warps | warp_bit;
    cell.read_thread = all_ordered ? static_cast<uint16_t>(by.thread) : kManyThreads;
  }
  cell.read_time = by.time;
  cell.read_pc = by.pc;
}

inline void SharedChecker::write_cell(const Accessor& by, Cell& cell, uint32_t offset) {
  if (by.kind == AccessKind::kAtomic && !cell.is_initialised) [[unlikely]] {
    by.warp.block->report(by.warp, by.in, by.lane, Finding::kUninitialised,
                          "atomic on uninitialised shared byte " + std::to_string(offset));
  }
  if (cell.read_warps != 0 && cell.read_thread != by.thread) {
    for_lanes(cell.read_warps, [&](int w) {
      if (is_ordered(by, static_cast<uint32_t>(w), cell.read_time)) return;
      const uint32_t other =
          cell.read_thread == kManyThreads ? static_cast<uint32_t>(w) * kLanes : cell.read_thread;
      report_race(by, "write-after-read", offset, other, cell.read_pc);
    });
  }
  cell.write_time = by.time;
  cell.write_pc = by.is_landing ? cell.write_pc : by.pc;
  cell.write_thread = static_cast<uint16_t>(by.thread);
  cell.read_warps = 0;
  cell.read_thread = kNoThread;
  cell.is_initialised = true;
  cell.is_atomic = by.kind == AccessKind::kAtomic;
}

void SharedChecker::report_race(const Accessor& by, const char* kind, uint32_t offset,
                                uint32_t other_thread, uint32_t other_pc) {
  Block& block = *by.warp.block;
  block.report(by.warp, by.in, by.lane, Finding::kRace,
               std::string(kind) + " race on shared byte " + std::to_string(offset) +
                   ", conflicts with thread " + std::to_string(other_thread) + " at " +
                   block.location(other_pc),
               other_pc + 1);
}

}  // namespace cudasim
