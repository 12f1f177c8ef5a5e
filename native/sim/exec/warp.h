// The state of 32 lanes that execute in lock step, and the loops that instruction handlers are made
// of.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "exec/program.h"

namespace cudasim {

class Block;

constexpr uint32_t kLanes = 32;
constexpr uint32_t kAllLanes = ~0u;

enum class WarpState : uint8_t { kReady, kAtBarrier, kDone };

/** Lanes that took another path; they wait until theirs is the lowest program counter. */
struct LaneGroup {
  uint32_t pc, lanes;
};

/** A cp.async that has been issued but not yet waited for. */
struct PendingCopy {
  uint8_t lane;
  uint8_t bytes, source_bytes;
  uint32_t group;
  uint32_t shared_offset;
  uint32_t pc;
  uint64_t source;
};

struct Warp {
  static constexpr uint32_t kNoRejoin = ~0u;

  Block* block = nullptr;
  uint8_t* registers = nullptr;
  uint32_t* predicates = nullptr;
  uint8_t* local = nullptr;  // Program::local_bytes per lane
  uint32_t pc = 0, active = 0, alive = 0;
  uint32_t index = 0;
  WarpState state = WarpState::kReady;
  std::vector<LaneGroup> waiting;
  uint32_t rejoin_pc = kNoRejoin;  // lowest of `waiting`

  uint32_t barrier = 0;  // kAtBarrier: which
  uint32_t barrier_pc = 0;
  uint32_t barrier_lanes = 0;  // lanes that deliver a value to bar.red
  uint64_t steps = 0;

  std::vector<PendingCopy> copies;
  uint32_t copy_groups[kLanes] = {};  // committed per lane

  template <typename T>
  T* at(uint32_t offset) {
    return reinterpret_cast<T*>(registers + offset);
  }
  void wait_at(uint32_t pc_, uint32_t lanes) {
    waiting.push_back({pc_, lanes});
    rejoin_pc = std::min(rejoin_pc, pc_);
  }
  void set_predicate(uint32_t index_, uint32_t lanes, uint32_t value) {
    predicates[index_] = (predicates[index_] & ~lanes) | (value & lanes);
  }
};

template <typename Body>
inline void for_lanes(uint32_t lanes, Body body) {
  for (; lanes; lanes &= lanes - 1) body(std::countr_zero(lanes));
}

/** The register slot that holds a T: 8 bytes for 8-byte types, else 4. */
template <typename T>
using Slot = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <typename T>
inline T from_slot(Slot<T> slot) {
  if constexpr (sizeof(T) == 1) {
    return std::bit_cast<T>(static_cast<uint8_t>(slot));
  } else if constexpr (sizeof(T) == 2) {
    return std::bit_cast<T>(static_cast<uint16_t>(slot));
  } else {
    return std::bit_cast<T>(slot);
  }
}

template <typename T>
inline Slot<T> to_slot(T value) {
  if constexpr (sizeof(T) == 1) {
    return std::bit_cast<uint8_t>(value);
  } else if constexpr (sizeof(T) == 2) {
    return std::bit_cast<uint16_t>(value);
  } else {
    return std::bit_cast<Slot<T>>(value);
  }
}

/**
 * Handler of an elementwise instruction: operand 0 = Op{}(operands 1, 2, ...). All lanes are
 * computed and the inactive ones keep their old value, so Op must accept any bits.
 */
template <typename Op, typename D, typename... A>
void map_lanes(Warp& warp, const Instruction& in, uint32_t lanes) {
  Slot<D>* d = warp.at<Slot<D>>(in.operand[0]);
  [&]<size_t... I>(std::index_sequence<I...>) {
    if (lanes == kAllLanes) {
#pragma GCC ivdep
      for (uint32_t l = 0; l < kLanes; ++l) {
        d[l] = to_slot<D>(Op{}(from_slot<A>(warp.at<Slot<A>>(in.operand[I + 1])[l])...));
      }
    } else {
#pragma GCC ivdep
      for (uint32_t l = 0; l < kLanes; ++l) {
        const Slot<D> value =
            to_slot<D>(Op{}(from_slot<A>(warp.at<Slot<A>>(in.operand[I + 1])[l])...));
        d[l] = (lanes >> l & 1) ? value : d[l];
      }
    }
  }(std::index_sequence_for<A...>{});
}

/** As map_lanes, one active lane at a time: for operations too costly to compute for inactive
 * lanes. */
template <typename Op, typename D, typename... A>
void map_active_lanes(Warp& warp, const Instruction& in, uint32_t lanes) {
  Slot<D>* d = warp.at<Slot<D>>(in.operand[0]);
  [&]<size_t... I>(std::index_sequence<I...>) {
    for_lanes(lanes, [&](int l) {
      d[l] = to_slot<D>(Op{}(from_slot<A>(warp.at<Slot<A>>(in.operand[I + 1])[l])...));
    });
  }(std::index_sequence_for<A...>{});
}

}  // namespace cudasim
