// Binds an elementwise operation to its handler, and turns type names of opcodes into C++ types.
#pragma once

#include <cstdint>
#include <string>

#include "exec/binding.h"
#include "exec/warp.h"

namespace cudasim {

/** Destination operand 0 and one source per A. */
template <typename Op, typename D, typename... A>
void bind_map(Binding& b) {
  b.in.operand[0] = b.write(0, sizeof(D));
  size_t i = 0;
  ((++i, b.in.operand[i] = b.read(i, sizeof(A))), ...);
  b.in.execute = map_lanes<Op, D, A...>;
}

/** As bind_map for operations that are too slow to compute for inactive lanes. */
template <typename Op, typename D, typename... A>
void bind_active(Binding& b) {
  bind_map<Op, D, A...>(b);
  b.in.execute = map_active_lanes<Op, D, A...>;
}

/** Calls body<T>() for the integer type named; false when it is another type. */
template <typename Body>
bool with_integer(const std::string& name, Body body) {
  if (name == "u32" || name == "b32") return body.template operator()<uint32_t>(), true;
  if (name == "s32") return body.template operator()<int32_t>(), true;
  if (name == "u64" || name == "b64") return body.template operator()<uint64_t>(), true;
  if (name == "s64") return body.template operator()<int64_t>(), true;
  if (name == "u16" || name == "b16") return body.template operator()<uint16_t>(), true;
  if (name == "s16") return body.template operator()<int16_t>(), true;
  return false;
}

/** One source of the instruction's integer type; false when its type is another. */
template <typename Op>
bool bind_integer_unary(Binding& b) {
  return with_integer(b.type(), [&]<typename T>() { bind_map<Op, T, T>(b); });
}

/** Two sources of the instruction's integer type; false when its type is another. */
template <typename Op>
bool bind_integer_binary(Binding& b) {
  return with_integer(b.type(), [&]<typename T>() { bind_map<Op, T, T, T>(b); });
}

template <typename Body>
bool with_float(const std::string& name, Body body) {
  if (name == "f32") return body.template operator()<float>(), true;
  if (name == "f64") return body.template operator()<double>(), true;
  return false;
}

}  // namespace cudasim
