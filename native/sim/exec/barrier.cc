// Barriers, __syncwarp and what is found when a block gets stuck or ends: the synchronising half of
// Block.

#include <algorithm>
#include <bit>
#include <map>

#include "exec/block.h"

namespace cudasim {
namespace {

enum Reduction : uint8_t { kNoReduction, kPopc, kAnd, kOr };

}  // namespace

void Block::sync_warp(Warp& warp) { clock_.synchronise(1u << warp.index); }

void Block::arrive_at_barrier(Warp& warp, const Instruction& in, uint32_t id, uint32_t thread_count,
                              bool arrive_only) {
  Barrier& barrier = barriers_[id];
  const uint32_t bit = 1u << warp.index, expected = (thread_count + kLanes - 1) / kLanes;
  if (is_checked_ && barrier.arrived != 0 && barrier.expected != expected) {
    report(warp, in, -1, Finding::kBarrier,
           "barrier " + std::to_string(id) + " is used with different thread counts");
  }
  for_lanes(is_checked_ && !arrive_only ? barrier.waiting : 0, [&](int w) {
    const std::string& other = location(warps_[static_cast<size_t>(w)].barrier_pc);
    if (other == location(pc_of(in))) return;
    report(warp, in, -1, Finding::kBarrier,
           "this barrier pairs with a different one at " + other + " (warp " + std::to_string(w) +
               ")");
  });
  barrier.expected = expected;
  barrier.arrived |= bit;
  if (!arrive_only) {
    barrier.waiting |= bit;
    warp.state = WarpState::kAtBarrier;
    warp.barrier = id;
    warp.barrier_pc = pc_of(in);
  }
  release_if_complete(id);
}

void Block::release_if_complete(uint32_t id) {
  const Barrier& barrier = barriers_[id];
  if (barrier.arrived == 0) return;
  const bool is_complete =
      barrier.expected == 0
          ? (alive_warps_ & ~barrier.arrived) == 0
          : static_cast<uint32_t>(std::popcount(barrier.arrived)) >= barrier.expected;
  if (is_complete) release(id);
}

void Block::release(uint32_t id) {
  const Barrier barrier = barriers_[id];
  barriers_[id] = {};
  clock_.synchronise(barrier.arrived);
  deliver_reduction(barrier.waiting);
  for_lanes(barrier.waiting,
            [&](int w) { warps_[static_cast<size_t>(w)].state = WarpState::kReady; });
}

// operand 0: destination, 1: source predicate; mode: Reduction; count: predicate is negated
void Block::deliver_reduction(uint32_t warps) {
  uint32_t threads = 0, hits = 0;
  const auto instruction = [&](int w) -> const Instruction& {
    return program().code[warps_[static_cast<size_t>(w)].barrier_pc];
  };
  for_lanes(warps, [&](int w) {
    const Warp& warp = warps_[static_cast<size_t>(w)];
    const Instruction& in = instruction(w);
    if (in.mode == kNoReduction) return;
    const uint32_t value =
        in.count ? ~warp.predicates[in.operand[1]] : warp.predicates[in.operand[1]];
    threads += static_cast<uint32_t>(std::popcount(warp.barrier_lanes));
    hits += static_cast<uint32_t>(std::popcount(value & warp.barrier_lanes));
  });
  for_lanes(warps, [&](int w) {
    Warp& warp = warps_[static_cast<size_t>(w)];
    const Instruction& in = instruction(w);
    if (in.mode == kPopc) {
      uint32_t* destination = warp.at<uint32_t>(in.operand[0]);
      for_lanes(warp.barrier_lanes, [&](int l) { destination[l] = hits; });
    } else if (in.mode != kNoReduction) {
      const bool result = in.mode == kAnd ? hits == threads : hits != 0;
      warp.set_predicate(in.operand[0], warp.barrier_lanes, result ? kAllLanes : 0);
    }
  });
}

void Block::report_deadlock() {
  std::map<std::string, uint32_t> places;
  const Warp* first = nullptr;
  for (const Warp& warp : warps_) {
    if (warp.state == WarpState::kAtBarrier) {
      if (!first) first = &warp;
      ++places["wait at barrier " + std::to_string(warp.barrier) + " " + location(warp.barrier_pc)];
    } else {
      ++places["have exited"];
    }
  }
  std::string text = "deadlock:";
  for (const auto& [place, count] : places) {
    text += (text.back() == ':' ? " " : ", ") + std::to_string(count) + " warp(s) " + place;
  }
  abort(*first, program().code[first->barrier_pc], -1, Finding::kDeadlock, text, Fault::kTimeout);
}

void Block::report_leftover_copies() {
  if (!is_checked_) return;
  for (const Warp& warp : warps_) {
    if (warp.copies.empty()) continue;
    const PendingCopy& copy = warp.copies.front();
    report(warp, program().code[copy.pc], copy.lane, Finding::kLeftoverCopy,
           "the thread exits with this cp.async still in flight");
  }
}

}  // namespace cudasim
