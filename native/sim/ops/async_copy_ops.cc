// cp.async. The destination is poisoned when the copy is issued and receives its data when the
// issuing thread waits for the group: the two ends of the time during which the hardware may write
// it. A missing wait, a missing barrier and a buffer that is reused too early therefore all read
// NaN.

#include <algorithm>
#include <cstring>

#include "device_memory.h"
#include "exec/access.h"
#include "exec/block.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

constexpr uint32_t kSourceOperand = 1, kDestinationOperand = 0, kSourceBytesOperand = 2;

enum SourceBytes : uint8_t { kFull, kGiven, kIgnoreIf };

uint32_t source_bytes_of(Warp& warp, const Instruction& in, int lane) {
  if (in.count == kGiven) return warp.at<uint32_t>(in.operand[kSourceBytesOperand])[lane];
  if (in.count == kIgnoreIf && (warp.predicates[in.operand[kSourceBytesOperand]] >> lane & 1))
    return 0;
  return in.width;
}

// A source shorter than the copy must be as aligned as the whole.
void check_partial_source(Warp& warp, const Instruction& in, int lane, const GlobalAddresses& from,
                          uint32_t bytes) {
  if (from.lane[lane] & (in.width - 1u)) {
    warp.block->abort(warp, in, lane, Finding::kAlignment, "misaligned cp.async source",
                      Fault::kMisaligned);
  }
  GlobalAddresses byte = from;
  for (uint32_t i = 0; i < bytes; ++i, ++byte.lane[lane]) {
    check_global(warp, in, 1u << lane, byte, 1, AccessKind::kRead);
  }
}

// width: bytes copied; count: SourceBytes; immediate and target: offsets of destination and source
void issue_copy(Warp& warp, const Instruction& in, uint32_t lanes) {
  Block& block = *warp.block;
  SharedOffsets to;
  GlobalAddresses from;
  const uint64_t* source = warp.at<uint64_t>(in.operand[kSourceOperand]);
  for (uint32_t l = 0; l < kLanes; ++l) {
    const uint64_t base = in.wide_address ? warp.at<uint64_t>(in.operand[kDestinationOperand])[l]
                                          : warp.at<uint32_t>(in.operand[kDestinationOperand])[l];
    to.lane[l] = static_cast<uint32_t>(base + static_cast<uint64_t>(in.immediate));
    from.lane[l] = source[l] + static_cast<uint64_t>(static_cast<int32_t>(in.target));
  }
  check_shared_bounds(warp, in, lanes, to, in.width, true);
  uint32_t full = 0;
  uint8_t sizes[kLanes] = {};
  for_lanes(lanes, [&](int l) {
    const uint32_t bytes = source_bytes_of(warp, in, l);
    if (bytes > in.width) {
      block.abort(warp, in, l, Finding::kBounds, "cp.async source size " + std::to_string(bytes));
    }
    sizes[l] = static_cast<uint8_t>(bytes);
    if (bytes == in.width) {
      full |= 1u << l;
    } else if (bytes > 0) {
      check_partial_source(warp, in, l, from, bytes);
    }
  });
  if (full) check_global(warp, in, full, from, in.width, AccessKind::kRead);
  const uint32_t pc = block.pc_of(in);
  for_lanes(lanes, [&](int l) {
    if (SharedChecker* checker = block.shared_checker()) {
      checker->issue_copy(warp, in, l, to.lane[l], in.width);
    }
    std::memset(block.shared() + to.lane[l], 0xff, in.width);
    warp.copies.push_back({static_cast<uint8_t>(l), in.width, sizes[l], warp.copy_groups[l],
                           to.lane[l], pc, from.lane[l]});
  });
}

void commit_group(Warp& warp, const Instruction&, uint32_t lanes) {
  for_lanes(lanes, [&](int l) { ++warp.copy_groups[l]; });
}

void land(Warp& warp, const Instruction& in, const PendingCopy& copy) {
  Block& block = *warp.block;
  if (SharedChecker* checker = block.shared_checker()) {
    checker->land_copy(warp, in, copy.lane, copy.shared_offset, copy.bytes);
  }
  uint8_t* to = block.shared() + copy.shared_offset;
  if (copy.source_bytes) {
    std::memcpy(to, DeviceMemory::instance().bytes_at(copy.source), copy.source_bytes);
  }
  std::memset(to + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
}

// immediate: how many of the newest groups may stay in flight
void wait_group(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t newest = static_cast<uint32_t>(in.immediate);
  std::erase_if(warp.copies, [&](const PendingCopy& copy) {
    if (!(lanes >> copy.lane & 1)) return false;
    const uint32_t committed = warp.copy_groups[copy.lane];
    if (committed < newest || copy.group >= committed - newest) return false;
    land(warp, in, copy);
    return true;
  });
}

void wait_all(Warp& warp, const Instruction& in, uint32_t lanes) {
  commit_group(warp, in, lanes);
  wait_group(warp, in, lanes);
}

// cp.async.{ca,cg}.shared.global [to], [from], bytes{, source bytes or ignore predicate}{, cache
// policy};
bool decode_issue(Binding& b) {
  b.source.kind = InstructionClass::kAsyncCopy;
  if (!b.has("global") || b.has("bulk") || b.has("mbarrier")) return false;
  b.bind_address(b.operand(1), kSourceOperand);
  if (!b.in.wide_address) return false;
  b.in.target = static_cast<uint32_t>(b.in.immediate);
  b.bind_address(b.operand(0), kDestinationOperand);
  b.in.width = static_cast<uint8_t>(b.integer(2));
  if (b.in.width != 4 && b.in.width != 8 && b.in.width != 16) return false;
  const bool has_policy = b.has("L2::cache_hint");
  if (b.operands() > (has_policy ? 4u : 3u)) {
    const bool is_predicate = b.is_predicate(b.operand(3));
    b.in.count = is_predicate ? kIgnoreIf : kGiven;
    b.in.operand[kSourceBytesOperand] =
        is_predicate ? b.read_predicate(b.operand(3)) : b.read(3, 4);
  }
  b.in.execute = issue_copy;
  return true;
}

}  // namespace

bool decode_async_copy(Binding& b) {
  if (b.base() != "cp" || b.part(1) != "async") return false;
  if (b.has("commit_group")) {
    b.in.execute = commit_group;
  } else if (b.has("wait_group")) {
    b.in.immediate = b.integer(0);
    b.in.execute = wait_group;
  } else if (b.has("wait_all")) {
    b.in.execute = wait_all;
  } else {
    decode_issue(b);
  }
  return true;
}

}  // namespace cudasim
