// Exchange between the lanes of a warp: shuffles, votes, matches, redux and __syncwarp.

#include <algorithm>
#include <cstdio>

#include "exec/block.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

std::string hex(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", mask);
  return text;
}

// Every lane must be named in its own mask, and all named lanes must be here.
void check_mask(Warp& warp, const Instruction& in, uint32_t lanes, const uint32_t* masks) {
  Block& block = *warp.block;
  if (!block.shared_checker()) return;
  for_lanes(lanes, [&](int l) {
    if (!(masks[l] >> l & 1)) {
      block.report(warp, in, l, Finding::kConvergence,
                   "the lane is not in its own mask " + hex(masks[l]));
    } else if (masks[l] & ~lanes) {
      block.report(
          warp, in, l, Finding::kConvergence,
          "mask " + hex(masks[l]) + " names lanes that are not here (here are " + hex(lanes) + ")",
          1);
    }
  });
}

enum class Shuffle : uint8_t { kIndex, kUp, kDown, kButterfly };

// operands: 0 destination, 1 predicate, 2 value, 3 lane operand, 4 clamp and segment, 5 mask
template <Shuffle kMode>
void shuffle(Warp& warp, const Instruction& in, uint32_t lanes) {
  uint32_t value[kLanes];
  std::copy_n(warp.at<uint32_t>(in.operand[2]), kLanes, value);
  const uint32_t* b = warp.at<uint32_t>(in.operand[3]);
  const uint32_t* c = warp.at<uint32_t>(in.operand[4]);
  const uint32_t* masks = warp.at<uint32_t>(in.operand[5]);
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  check_mask(warp, in, lanes, masks);
  uint32_t in_range = 0;
  for_lanes(lanes, [&](int l) {
    const int shift = static_cast<int>(b[l] & 31), clamp = static_cast<int>(c[l] & 31);
    const int segment = static_cast<int>(c[l] >> 8 & 31);
    const int highest = (l & segment) | (clamp & ~segment), lowest = l & segment;
    int from = l;
    bool ok = true;
    if constexpr (kMode == Shuffle::kIndex) {
      from = lowest | (shift & ~segment);
      ok = from <= highest;
    } else if constexpr (kMode == Shuffle::kUp) {
      from = l - shift;
      ok = from >= highest;
    } else if constexpr (kMode == Shuffle::kDown) {
      from = l + shift;
      ok = from <= highest;
    } else {
      from = l ^ shift;
      ok = from <= highest;
    }
    if (!ok) from = l;
    if (warp.block->shared_checker() && !(masks[l] >> from & 1)) {
      warp.block->report(
          warp, in, l, Finding::kConvergence,
          "reads lane " + std::to_string(from) + ", which is not in mask " + hex(masks[l]), 2);
    }
    d[l] = value[from];
    in_range |= static_cast<uint32_t>(ok) << l;
  });
  warp.set_predicate(in.operand[1], lanes, in_range);
}

bool decode_shuffle(Binding& b) {
  if (!b.has("sync") || b.type() != "b32") return false;
  const ptx::Operand& destination = b.operand(0);
  b.in.operand[0] = b.write(destination, 4);
  b.in.operand[1] =
      b.write_predicate(destination.elements.empty() ? ptx::Operand{} : destination.elements[0]);
  for (size_t i = 1; i < 5; ++i) b.in.operand[i + 1] = b.read(i, 4);
  if (b.has("idx")) b.in.execute = shuffle<Shuffle::kIndex>;
  if (b.has("up")) b.in.execute = shuffle<Shuffle::kUp>;
  if (b.has("down")) b.in.execute = shuffle<Shuffle::kDown>;
  if (b.has("bfly")) b.in.execute = shuffle<Shuffle::kButterfly>;
  return true;
}

enum class Vote : uint8_t { kAll, kAny, kUniform, kBallot };

// operands: 0 destination, 1 source predicate, 2 mask; count: source is negated
template <Vote kVote>
void vote(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t* masks = warp.at<uint32_t>(in.operand[2]);
  check_mask(warp, in, lanes, masks);
  const uint32_t predicate = warp.predicates[in.operand[1]];
  const uint32_t values = in.count ? ~predicate : predicate;
  for_lanes(lanes, [&](int l) {
    const uint32_t members = masks[l] & lanes, hits = values & members;
    if constexpr (kVote == Vote::kBallot) {
      warp.at<uint32_t>(in.operand[0])[l] = hits;
    } else {
      const bool result = kVote == Vote::kAll   ? hits == members
                          : kVote == Vote::kAny ? hits != 0
                                                : hits == members || hits == 0;
      warp.set_predicate(in.operand[0], 1u << l, result ? kAllLanes : 0);
    }
  });
}

bool decode_vote(Binding& b) {
  if (!b.has("sync")) return false;
  bool is_negated = false;
  b.in.operand[1] = b.read_predicate(b.operand(1), &is_negated);
  b.in.operand[2] = b.read(2, 4);
  b.in.count = is_negated;
  b.in.operand[0] = b.has("ballot") ? b.write(0, 4) : b.write_predicate(b.operand(0));
  if (b.has("all")) b.in.execute = vote<Vote::kAll>;
  if (b.has("any")) b.in.execute = vote<Vote::kAny>;
  if (b.has("uni")) b.in.execute = vote<Vote::kUniform>;
  if (b.has("ballot")) b.in.execute = vote<Vote::kBallot>;
  return true;
}

// operands: 0 destination, 1 predicate, 2 value, 3 mask
template <typename T, bool kAll>
void match(Warp& warp, const Instruction& in, uint32_t lanes) {
  const T* values = warp.at<T>(in.operand[2]);
  const uint32_t* masks = warp.at<uint32_t>(in.operand[3]);
  check_mask(warp, in, lanes, masks);
  uint32_t results[kLanes], uniform = 0;
  for_lanes(lanes, [&](int l) {
    const uint32_t members = masks[l] & lanes;
    uint32_t equal = 0;
    for_lanes(members, [&](int other) {
      equal |= static_cast<uint32_t>(values[other] == values[l]) << other;
    });
    results[l] = kAll && equal != members ? 0 : equal;
    uniform |= static_cast<uint32_t>(equal == members) << l;
  });
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  for_lanes(lanes, [&](int l) { d[l] = results[l]; });
  warp.set_predicate(in.operand[1], lanes, uniform);
}

bool decode_match(Binding& b) {
  const ptx::Operand& destination = b.operand(0);
  const bool is_wide = b.type() == "b64";
  b.in.operand[0] = b.write(destination, 4);
  b.in.operand[1] =
      b.write_predicate(destination.elements.empty() ? ptx::Operand{} : destination.elements[0]);
  b.in.operand[2] = b.read(1, is_wide ? 8 : 4);
  b.in.operand[3] = b.read(2, 4);
  if (b.has("all")) {
    b.in.execute = is_wide ? match<uint64_t, true> : match<uint32_t, true>;
  } else {
    b.in.execute = is_wide ? match<uint64_t, false> : match<uint32_t, false>;
  }
  return true;
}

enum class Reduction : uint8_t { kAdd, kMin, kMax, kAnd, kOr, kXor };

template <typename T, Reduction kOp>
void reduce(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t* values = warp.at<uint32_t>(in.operand[1]);
  const uint32_t* masks = warp.at<uint32_t>(in.operand[2]);
  check_mask(warp, in, lanes, masks);
  uint32_t results[kLanes];
  for_lanes(lanes, [&](int l) {
    const uint32_t members = masks[l] & lanes;
    T sum = static_cast<T>(values[std::countr_zero(members | 1u << l)]);
    bool is_first = true;
    for_lanes(members, [&](int other) {
      const T value = static_cast<T>(values[other]);
      if (is_first) {
        sum = value;
      } else {
        switch (kOp) {
          case Reduction::kAdd: sum += value; break;
          case Reduction::kMin: sum = std::min(sum, value); break;
          case Reduction::kMax: sum = std::max(sum, value); break;
          case Reduction::kAnd: sum &= value; break;
          case Reduction::kOr: sum |= value; break;
          case Reduction::kXor: sum ^= value; break;
        }
      }
      is_first = false;
    });
    results[l] = static_cast<uint32_t>(sum);
  });
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  for_lanes(lanes, [&](int l) { d[l] = results[l]; });
}

bool decode_redux(Binding& b) {
  using U = uint32_t;
  using S = int32_t;
  b.in.operand[0] = b.write(0, 4);
  b.in.operand[1] = b.read(1, 4);
  b.in.operand[2] = b.read(2, 4);
  const bool is_signed = b.type() == "s32";
  if (b.type() == "f32") return false;
  if (b.has("add")) b.in.execute = reduce<U, Reduction::kAdd>;
  if (b.has("min"))
    b.in.execute = is_signed ? reduce<S, Reduction::kMin> : reduce<U, Reduction::kMin>;
  if (b.has("max"))
    b.in.execute = is_signed ? reduce<S, Reduction::kMax> : reduce<U, Reduction::kMax>;
  if (b.has("and")) b.in.execute = reduce<U, Reduction::kAnd>;
  if (b.has("or")) b.in.execute = reduce<U, Reduction::kOr>;
  if (b.has("xor")) b.in.execute = reduce<U, Reduction::kXor>;
  return true;
}

void active_mask(Warp& warp, const Instruction& in, uint32_t lanes) {
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  for_lanes(lanes, [&](int l) { d[l] = lanes; });
}

// Orders memory between lanes only when the whole warp takes part.
void sync_warp(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t* masks = warp.at<uint32_t>(in.operand[0]);
  Block& block = *warp.block;
  for_lanes(lanes, [&](int l) {
    const uint32_t missing = masks[l] & warp.alive & ~lanes;
    if (!missing || !block.shared_checker()) return;
    block.report(
        warp, in, l, Finding::kConvergence,
        "mask " + hex(masks[l]) + " names lanes that are not here (here are " + hex(lanes) + ")");
  });
  if (lanes == warp.alive) block.sync_warp(warp);
}

}  // namespace

bool decode_warp(Binding& b) {
  const std::string& op = b.base();
  if (op == "shfl") return decode_shuffle(b);
  if (op == "vote") return decode_vote(b);
  if (op == "match") return decode_match(b);
  if (op == "redux") return decode_redux(b);
  if (op == "activemask") {
    b.in.operand[0] = b.write(0, 4);
    b.in.execute = active_mask;
    return true;
  }
  if (op == "bar" && b.has("warp")) {
    b.in.operand[0] = b.read(0, 4);
    b.in.execute = sync_warp;
    return true;
  }
  return false;
}

}  // namespace cudasim
