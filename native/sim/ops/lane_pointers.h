// Where each lane's bytes are, after all checks: the common part of loads, stores and atomics.
#pragma once

#include <cstdint>

#include "exec/access.h"
#include "exec/binding.h"
#include "exec/warp.h"

namespace cudasim {

struct LanePointers {
  uint8_t* lane[kLanes];
  bool is_shared = false;  // memory of this block only
};

/** Operand slot that holds the address of a memory instruction. */
constexpr uint32_t kAddressOperand = 8;

/** Calls body(lanes, pointers) once per state space that the lanes address. `bytes` per lane. */
template <typename Body>
void with_lane_pointers(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                        AccessKind kind, Body body);

/** Fills in.space and the address operand; false for a space the instruction cannot address. */
bool bind_memory_operand(Binding& b, const ptx::Operand& address);

namespace lane_pointers {

void resolve_global(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                    AccessKind kind, const uint64_t* address, LanePointers& out);
void resolve_shared(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                    AccessKind kind, const uint64_t* address, LanePointers& out);
void resolve_local(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                   const uint64_t* address, LanePointers& out);
void resolve_parameter(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                       const uint64_t* address, LanePointers& out);
void read_addresses(Warp& warp, const Instruction& in, uint64_t* address);

}  // namespace lane_pointers

template <typename Body>
void with_lane_pointers(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                        AccessKind kind, Body body) {
  using namespace lane_pointers;
  uint64_t address[kLanes];
  LanePointers at;
  read_addresses(warp, in, address);
  switch (in.space) {
    case Space::kGlobal:
      resolve_global(warp, in, lanes, bytes, kind, address, at);
      body(lanes, at);
      return;
    case Space::kShared:
      resolve_shared(warp, in, lanes, bytes, kind, address, at);
      body(lanes, at);
      return;
    case Space::kLocal:
      resolve_local(warp, in, lanes, bytes, address, at);
      body(lanes, at);
      return;
    case Space::kParam:
      resolve_parameter(warp, in, lanes, bytes, address, at);
      body(lanes, at);
      return;
    case Space::kGeneric: break;
  }
  uint32_t shared = 0, local = 0;
  for_lanes(lanes, [&](int l) {
    if (address[l] - kSharedWindow < kWindowBytes) {
      address[l] -= kSharedWindow;
      shared |= 1u << l;
    } else if (address[l] - kLocalWindow < kWindowBytes) {
      address[l] -= kLocalWindow;
      local |= 1u << l;
    }
  });
  if (const uint32_t global = lanes & ~shared & ~local) {
    resolve_global(warp, in, global, bytes, kind, address, at);
    body(global, at);
  }
  if (shared) {
    resolve_shared(warp, in, shared, bytes, kind, address, at);
    body(shared, at);
  }
  if (local) {
    resolve_local(warp, in, local, bytes, address, at);
    body(local, at);
  }
}

}  // namespace cudasim
