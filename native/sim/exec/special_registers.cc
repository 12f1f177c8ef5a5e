#include "exec/special_registers.h"

#include <algorithm>
#include <map>

#include "settings.h"

namespace cudasim {
namespace {

uint32_t low_bits(uint32_t count) { return count >= 32 ? ~0u : (1u << count) - 1; }

}  // namespace

std::optional<SpecialRegister> special_register_named(const std::string& name) {
  using S = SpecialRegister;
  static const std::map<std::string, S> kNames{{"%tid.x", S::kTidX},
                                               {"%tid.y", S::kTidY},
                                               {"%tid.z", S::kTidZ},
                                               {"%ntid.x", S::kNtidX},
                                               {"%ntid.y", S::kNtidY},
                                               {"%ntid.z", S::kNtidZ},
                                               {"%ctaid.x", S::kCtaidX},
                                               {"%ctaid.y", S::kCtaidY},
                                               {"%ctaid.z", S::kCtaidZ},
                                               {"%nctaid.x", S::kNctaidX},
                                               {"%nctaid.y", S::kNctaidY},
                                               {"%nctaid.z", S::kNctaidZ},
                                               {"%laneid", S::kLaneId},
                                               {"%warpid", S::kWarpId},
                                               {"%nwarpid", S::kNwarpId},
                                               {"%smid", S::kSmId},
                                               {"%nsmid", S::kNsmId},
                                               {"%gridid", S::kGridId},
                                               {"%lanemask_eq", S::kLaneMaskEq},
                                               {"%lanemask_lt", S::kLaneMaskLt},
                                               {"%lanemask_le", S::kLaneMaskLe},
                                               {"%lanemask_gt", S::kLaneMaskGt},
                                               {"%lanemask_ge", S::kLaneMaskGe},
                                               {"%dynamic_smem_size", S::kDynamicShared},
                                               {"%total_smem_size", S::kTotalShared}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) return std::nullopt;
  return found->second;
}

uint32_t special_register_value(SpecialRegister what, const SpecialRegisterContext& at,
                                uint32_t lane) {
  const uint32_t thread = at.warp_index * 32 + lane;
  switch (what) {
    case SpecialRegister::kTidX: return thread % at.block.x;
    case SpecialRegister::kTidY: return thread / at.block.x % at.block.y;
    case SpecialRegister::kTidZ: return thread / at.block.x / at.block.y;
    case SpecialRegister::kNtidX: return at.block.x;
    case SpecialRegister::kNtidY: return at.block.y;
    case SpecialRegister::kNtidZ: return at.block.z;
    case SpecialRegister::kCtaidX: return at.block_index % at.grid.x;
    case SpecialRegister::kCtaidY: return at.block_index / at.grid.x % at.grid.y;
    case SpecialRegister::kCtaidZ: return at.block_index / at.grid.x / at.grid.y;
    case SpecialRegister::kNctaidX: return at.grid.x;
    case SpecialRegister::kNctaidY: return at.grid.y;
    case SpecialRegister::kNctaidZ: return at.grid.z;
    case SpecialRegister::kLaneId: return lane;
    case SpecialRegister::kWarpId: return at.warp_index;
    case SpecialRegister::kNwarpId: return at.warps;
    case SpecialRegister::kSmId:
      return at.block_index % static_cast<uint32_t>(std::max(settings().multiprocessors, 1));
    case SpecialRegister::kNsmId: return static_cast<uint32_t>(settings().multiprocessors);
    case SpecialRegister::kGridId: return at.launch_id;
    case SpecialRegister::kLaneMaskEq: return 1u << lane;
    case SpecialRegister::kLaneMaskLt: return low_bits(lane);
    case SpecialRegister::kLaneMaskLe: return low_bits(lane + 1);
    case SpecialRegister::kLaneMaskGt: return ~low_bits(lane + 1);
    case SpecialRegister::kLaneMaskGe: return ~low_bits(lane);
    case SpecialRegister::kDynamicShared: return at.dynamic_shared_bytes;
    case SpecialRegister::kTotalShared: return at.shared_bytes;
  }
  return 0;
}

}  // namespace cudasim
