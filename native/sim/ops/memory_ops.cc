// ld and st in every state space, scalar and vector.

#include <cstring>

#include "ops/lane_pointers.h"

namespace cudasim {
namespace {

// operands 0..count-1: data. T is the element in memory, D what its register holds.
template <typename T, typename D>
void load(Warp& warp, const Instruction& in, uint32_t lanes) {
  with_lane_pointers(warp, in, lanes, sizeof(T) * in.count, AccessKind::kRead,
                     [&](uint32_t active, const LanePointers& at) {
                       for (uint32_t i = 0; i < in.count; ++i) {
                         Slot<D>* destination = warp.at<Slot<D>>(in.operand[i]);
                         for_lanes(active, [&](int l) {
                           T value;
                           std::memcpy(&value, at.lane[l] + i * sizeof(T), sizeof(T));
                           destination[l] = to_slot<D>(static_cast<D>(value));
                         });
                       }
                     });
}

template <typename T, typename D>
void store(Warp& warp, const Instruction& in, uint32_t lanes) {
  with_lane_pointers(warp, in, lanes, sizeof(T) * in.count, AccessKind::kWrite,
                     [&](uint32_t active, const LanePointers& at) {
                       for (uint32_t i = 0; i < in.count; ++i) {
                         const Slot<D>* source = warp.at<Slot<D>>(in.operand[i]);
                         for_lanes(active, [&](int l) {
                           const T value = static_cast<T>(source[l]);
                           std::memcpy(at.lane[l] + i * sizeof(T), &value, sizeof(T));
                         });
                       }
                     });
}

// Narrow values extend to the register by their sign.
template <typename Body>
bool with_element(const std::string& type, Body body) {
  if (type == "s8") return body.template operator()<int8_t>(), true;
  if (type == "u8" || type == "b8") return body.template operator()<uint8_t>(), true;
  if (type == "s16") return body.template operator()<int16_t>(), true;
  if (type == "u16" || type == "b16" || type == "f16" || type == "bf16") {
    return body.template operator()<uint16_t>(), true;
  }
  if (type == "s32") return body.template operator()<int32_t>(), true;
  if (type == "u32" || type == "b32" || type == "f32" || type == "f16x2" || type == "bf16x2") {
    return body.template operator()<uint32_t>(), true;
  }
  if (type == "u64" || type == "s64" || type == "b64" || type == "f64") {
    return body.template operator()<uint64_t>(), true;
  }
  return false;
}

bool decode_access(Binding& b, bool is_load) {
  if (b.has("async") || b.has("bulk")) return false;
  const ptx::Operand& data = b.operand(is_load ? 0 : 1);
  const bool is_vector = data.kind == ptx::OperandKind::kVector;
  const size_t count = is_vector ? data.elements.size() : 1;
  if (count != 1 && count != 2 && count != 4) return false;
  if (!bind_memory_operand(b, b.operand(is_load ? 1 : 0))) return false;
  b.in.count = static_cast<uint8_t>(count);
  return with_element(b.type(), [&]<typename T>() {
    bool is_wide = sizeof(T) == 8;
    for (size_t i = 0; i < count; ++i) {
      const ptx::Operand& element = is_vector ? data.elements[i] : data;
      // A destination register may be wider than the value.
      const uint32_t bytes = sizeof(T) == 8 || b.register_bytes(element) == 8 ? 8 : sizeof(T);
      is_wide |= bytes == 8;
      b.in.operand[i] = is_load ? b.write(element, bytes) : b.read(element, bytes);
    }
    using Word = std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>;
    using Double = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    if (is_load) {
      b.in.execute = is_wide ? load<T, Double> : load<T, Word>;
    } else {
      b.in.execute = is_wide ? store<T, Double> : store<T, Word>;
    }
  });
}

}  // namespace

bool decode_memory(Binding& b) {
  if (b.base() == "ld" || b.base() == "ldu") return decode_access(b, true);
  if (b.base() == "st") return decode_access(b, false);
  return false;
}

}  // namespace cudasim
