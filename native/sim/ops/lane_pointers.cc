#include "ops/lane_pointers.h"

#include "device_memory.h"
#include "exec/block.h"

namespace cudasim {
namespace lane_pointers {

void read_addresses(Warp& warp, const Instruction& in, uint64_t* address) {
  const uint64_t offset = static_cast<uint64_t>(in.immediate);
  if (in.wide_address) {
    const uint64_t* base = warp.at<uint64_t>(in.operand[kAddressOperand]);
    for (uint32_t l = 0; l < kLanes; ++l) address[l] = base[l] + offset;
  } else {
    const uint32_t* base = warp.at<uint32_t>(in.operand[kAddressOperand]);
    for (uint32_t l = 0; l < kLanes; ++l) address[l] = static_cast<uint32_t>(base[l] + offset);
  }
}

void resolve_global(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                    AccessKind kind, const uint64_t* address, LanePointers& out) {
  GlobalAddresses at;
  std::copy_n(address, kLanes, at.lane);
  check_global(warp, in, lanes, at, bytes, kind);
  const DeviceMemory& memory = DeviceMemory::instance();
  for (uint32_t l = 0; l < kLanes; ++l) out.lane[l] = memory.bytes_at(address[l]);
  out.is_shared = false;
}

namespace {

// Offsets beyond 32 bits stay out of bounds after the conversion.
SharedOffsets narrow_offsets(const uint64_t* address) {
  SharedOffsets at;
  for (uint32_t l = 0; l < kLanes; ++l) {
    at.lane[l] = address[l] > ~0u ? ~0u & ~15u : static_cast<uint32_t>(address[l]);
  }
  return at;
}

}  // namespace

void resolve_shared(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                    AccessKind kind, const uint64_t* address, LanePointers& out) {
  const SharedOffsets at = narrow_offsets(address);
  check_shared(warp, in, lanes, at, bytes, kind);
  uint8_t* shared = warp.block->shared();
  for (uint32_t l = 0; l < kLanes; ++l) out.lane[l] = shared + at.lane[l];
  out.is_shared = true;
}

void resolve_local(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                   const uint64_t* address, LanePointers& out) {
  const SharedOffsets at = narrow_offsets(address);
  check_local(warp, in, lanes, at, bytes);
  const size_t stride = warp.block->program().local_bytes;
  for (uint32_t l = 0; l < kLanes; ++l) out.lane[l] = warp.local + l * stride + at.lane[l];
  out.is_shared = true;
}

void resolve_parameter(Warp& warp, const Instruction& in, uint32_t lanes, uint32_t bytes,
                       const uint64_t* address, LanePointers& out) {
  const uint32_t limit = warp.block->program().parameter_bytes;
  for_lanes(lanes, [&](int l) {
    if (address[l] < limit && bytes <= limit - address[l]) return;
    warp.block->abort(warp, in, l, Finding::kBounds,
                      "read at offset " + std::to_string(address[l]) + " of " +
                          std::to_string(limit) + " parameter bytes",
                      Fault::kIllegalAddress);
  });
  uint8_t* parameters = const_cast<uint8_t*>(warp.block->parameters());
  for (uint32_t l = 0; l < kLanes; ++l) out.lane[l] = parameters + address[l];
  out.is_shared = true;
}

}  // namespace lane_pointers

bool bind_memory_operand(Binding& b, const ptx::Operand& address) {
  b.bind_address(address, kAddressOperand);
  if (b.has("global") || b.has("const")) {
    b.in.space = Space::kGlobal;
  } else if (b.has("shared") || b.has("shared::cta")) {
    b.in.space = Space::kShared;
  } else if (b.has("local")) {
    b.in.space = Space::kLocal;
  } else if (b.has("param")) {
    b.in.space = Space::kParam;  // or a variable of a call sequence, which lives in local memory
    b.names_symbol_in(address, b.in.space);
  } else {
    b.in.space = Space::kGeneric;
    if (Space named; b.names_symbol_in(address, named)) b.in.space = named;
  }
  return !b.has("shared::cluster");
}

}  // namespace cudasim
