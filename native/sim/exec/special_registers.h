// The read-only registers that tell a thread where it is: %tid, %ctaid, %laneid and so on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cudasim {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t{x} * y * z; }
};

enum class SpecialRegister : uint8_t {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneId,
  kWarpId,
  kNwarpId,
  kSmId,
  kNsmId,
  kGridId,
  kLaneMaskEq,
  kLaneMaskLt,
  kLaneMaskLe,
  kLaneMaskGt,
  kLaneMaskGe,
  kDynamicShared,
  kTotalShared,
};

/** By PTX name, e.g. "%tid.x"; nothing for a name that is unknown or changes in the kernel. */
std::optional<SpecialRegister> special_register_named(const std::string& name);

struct SpecialRegisterContext {
  Dim3 block, grid;
  uint32_t block_index, warp_index, warps, launch_id, dynamic_shared_bytes, shared_bytes;
};

uint32_t special_register_value(SpecialRegister what, const SpecialRegisterContext& at,
                                uint32_t lane);

}  // namespace cudasim
