#include "exec/access.h"

#include <algorithm>
#include <string>

#include "device_memory.h"
#include "exec/block.h"

namespace cudasim {
namespace {

const char* name_of(AccessKind kind) {
  switch (kind) {
    case AccessKind::kRead: return "read";
    case AccessKind::kWrite: return "write";
    case AccessKind::kAtomic: return "atomic";
  }
  return "access";
}

[[noreturn]] void abort_misaligned(Warp& warp, const Instruction& in, int lane, const char* space,
                                   uint64_t address, uint32_t bytes) {
  warp.block->abort(warp, in, lane, Finding::kAlignment,
                    "misaligned " + std::to_string(bytes) + "-byte " + space + " access at " +
                        std::to_string(address % 256) + " modulo 256",
                    Fault::kMisaligned);
}

// Offsets in a window of `limit` bytes: one vectorised test, then the culprit is looked for.
void check_offsets(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                   uint32_t bytes, uint32_t limit, const char* space, const char* action) {
  uint32_t unaligned = 0, highest = 0;
  for (uint32_t l = 0; l < kLanes; ++l) {
    const uint32_t offset = (lanes >> l & 1) ? at.lane[l] : 0;
    unaligned |= offset;
    highest = std::max(highest, offset);
  }
  if ((unaligned & (bytes - 1)) == 0 && uint64_t{highest} + bytes <= limit) [[likely]]
    return;
  for_lanes(lanes, [&](int lane) {
    const uint32_t offset = at.lane[lane];
    if (offset & (bytes - 1)) abort_misaligned(warp, in, lane, space, offset, bytes);
    if (uint64_t{offset} + bytes <= limit) return;
    warp.block->abort(warp, in, lane, Finding::kBounds,
                      std::string(action) + " of " + std::to_string(bytes) + " bytes at " + space +
                          " offset " + std::to_string(offset) + ", but there are " +
                          std::to_string(limit) + " bytes",
                      Fault::kIllegalAddress);
  });
}

}  // namespace

void check_global(Warp& warp, const Instruction& in, uint32_t lanes, const GlobalAddresses& at,
                  uint32_t bytes, AccessKind kind) {
  Block& block = *warp.block;
  const DeviceMemory& memory = DeviceMemory::instance();
  Allocation allocation;
  for_lanes(lanes, [&](int lane) {
    const uint64_t address = at.lane[lane];
    if (address & (bytes - 1)) [[unlikely]] {
      abort_misaligned(warp, in, lane, "global", address, bytes);
    }
    if (allocation.contains(address, bytes)) return;
    allocation = memory.find(address);
    if (allocation.contains(address, bytes)) return;
    block.abort(warp, in, lane, Finding::kBounds,
                std::string("out-of-bounds global ") + name_of(kind) + " of " +
                    std::to_string(bytes) + " bytes at " + memory.describe(address),
                Fault::kIllegalAddress);
  });
  if (LaunchProfile* profile = block.profile()) {
    profile->global_access(block.pc_of(in), lanes, at.lane, bytes);
  }
  if (GlobalChecker* checker = block.global_checker()) {
    for_lanes(lanes,
              [&](int lane) { checker->access(warp, in, lane, at.lane[lane], bytes, kind); });
  }
}

void check_shared_bounds(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                         uint32_t bytes, bool is_write) {
  Block& block = *warp.block;
  check_offsets(warp, in, lanes, at, bytes, block.shared_bytes(), "shared",
                is_write ? "write" : "read");
  if (LaunchProfile* profile = block.profile()) {
    profile->shared_access(block.pc_of(in), lanes, at.lane, bytes);
  }
}

void check_shared(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                  uint32_t bytes, AccessKind kind) {
  check_shared_bounds(warp, in, lanes, at, bytes, kind != AccessKind::kRead);
  if (SharedChecker* checker = warp.block->shared_checker()) {
    for_lanes(lanes,
              [&](int lane) { checker->access(warp, in, lane, at.lane[lane], bytes, kind); });
  }
}

void check_local(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                 uint32_t bytes) {
  check_offsets(warp, in, lanes, at, bytes, warp.block->program().local_bytes, "local", "access");
}

}  // namespace cudasim
