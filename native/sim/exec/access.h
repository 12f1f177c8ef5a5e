// The one gate through which instructions reach memory: alignment, bounds, races, profile.
#pragma once

#include <cstdint>

#include "check/shared_checker.h"
#include "exec/warp.h"

namespace cudasim {

/** Generic addresses of shared and local memory: non-canonical, so that no host pointer looks like
 * one. */
constexpr uint64_t kSharedWindow = uint64_t{1} << 48;
constexpr uint64_t kLocalWindow = kSharedWindow + (uint64_t{1} << 32);
constexpr uint64_t kWindowBytes = uint64_t{1} << 32;

/** Lane addresses of one instruction; entries of inactive lanes mean nothing. */
struct GlobalAddresses {
  uint64_t lane[kLanes];
};
struct SharedOffsets {
  uint32_t lane[kLanes];
};

/** Return after all checks passed, else abort the block. `bytes` per lane. */
void check_global(Warp& warp, const Instruction& in, uint32_t lanes, const GlobalAddresses& at,
                  uint32_t bytes, AccessKind kind);
void check_shared(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                  uint32_t bytes, AccessKind kind);
/** Only alignment and bounds; for cp.async, whose race check has its own rules. */
void check_shared_bounds(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                         uint32_t bytes, bool is_write);
void check_local(Warp& warp, const Instruction& in, uint32_t lanes, const SharedOffsets& at,
                 uint32_t bytes);

}  // namespace cudasim
