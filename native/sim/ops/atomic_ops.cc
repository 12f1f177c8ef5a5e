// atom and red on global, shared and generic addresses.

#include <algorithm>
#include <cstring>

#include "ops/arithmetic/half_float.h"
#include "ops/lane_pointers.h"

namespace cudasim {
namespace {

struct Add {
  template <typename T>
  T operator()(T old, T b, T) const {
    return old + b;
  }
};
struct Minimum {
  template <typename T>
  T operator()(T old, T b, T) const {
    return std::min(old, b);
  }
};
struct Maximum {
  template <typename T>
  T operator()(T old, T b, T) const {
    return std::max(old, b);
  }
};
struct And {
  template <typename T>
  T operator()(T old, T b, T) const {
    return old & b;
  }
};
struct Or {
  template <typename T>
  T operator()(T old, T b, T) const {
    return old | b;
  }
};
struct Xor {
  template <typename T>
  T operator()(T old, T b, T) const {
    return old ^ b;
  }
};
struct Exchange {
  template <typename T>
  T operator()(T, T b, T) const {
    return b;
  }
};
struct CompareAndSwap {
  template <typename T>
  T operator()(T old, T compare, T value) const {
    return old == compare ? value : old;
  }
};
struct Increment {
  uint32_t operator()(uint32_t old, uint32_t limit, uint32_t) const {
    return old >= limit ? 0 : old + 1;
  }
};
struct Decrement {
  uint32_t operator()(uint32_t old, uint32_t limit, uint32_t) const {
    return old == 0 || old > limit ? limit : old - 1;
  }
};
template <typename T>
struct AddHalf {
  uint16_t operator()(uint16_t old, uint16_t b, uint16_t) const {
    return narrow<T>(add_round_to_odd(to_float(T{old}), to_float(T{b}))).bits;
  }
};
template <typename T>
struct AddPair {
  uint32_t operator()(uint32_t old, uint32_t b, uint32_t) const {
    const auto half = [&](int shift) {
      return uint32_t{AddHalf<T>{}(static_cast<uint16_t>(old >> shift),
                                   static_cast<uint16_t>(b >> shift), 0)}
             << shift;
    };
    return half(0) | half(16);
  }
};

// Other blocks may run on other threads, so global memory needs a real atomic.
template <typename Op, typename T>
T read_modify_write(uint8_t* address, bool is_private, T b, T c) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t,
                                  std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;
  Bits* cell = reinterpret_cast<Bits*>(address);
  Bits old = __atomic_load_n(cell, __ATOMIC_RELAXED);
  for (;;) {
    const Bits fresh = std::bit_cast<Bits>(static_cast<T>(Op{}(std::bit_cast<T>(old), b, c)));
    if (is_private) {
      *cell = fresh;
      return std::bit_cast<T>(old);
    }
    if (__atomic_compare_exchange_n(cell, &old, fresh, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
      return std::bit_cast<T>(old);
    }
  }
}

// operands: 0 destination, 1 and 2 sources; mode: has a destination
template <typename Op, typename T>
void atomic(Warp& warp, const Instruction& in, uint32_t lanes) {
  const Slot<T>* b = warp.at<Slot<T>>(in.operand[1]);
  const Slot<T>* c = warp.at<Slot<T>>(in.operand[2]);
  Slot<T>* d = warp.at<Slot<T>>(in.operand[0]);
  with_lane_pointers(warp, in, lanes, sizeof(T), AccessKind::kAtomic,
                     [&](uint32_t active, const LanePointers& at) {
                       for_lanes(active, [&](int l) {
                         const T old = read_modify_write<Op, T>(
                             at.lane[l], at.is_shared, from_slot<T>(b[l]), from_slot<T>(c[l]));
                         if (in.mode) d[l] = to_slot<T>(old);
                       });
                     });
}

template <typename Op, typename T>
void bind(Binding& b) {
  b.in.execute = atomic<Op, T>;
}

template <typename Op>
void bind_bits(Binding& b) {
  const std::string& type = b.type();
  if (type.ends_with("64")) {
    bind<Op, uint64_t>(b);
  } else if (type.ends_with("32")) {
    bind<Op, uint32_t>(b);
  } else if (type == "b16") {
    bind<Op, uint16_t>(b);
  }
}

template <typename Op>
void bind_ordered(Binding& b) {
  const std::string& type = b.type();
  if (type == "u32") bind<Op, uint32_t>(b);
  if (type == "s32") bind<Op, int32_t>(b);
  if (type == "u64") bind<Op, uint64_t>(b);
  if (type == "s64") bind<Op, int64_t>(b);
}

void bind_add(Binding& b) {
  const std::string& type = b.type();
  if (type == "f32") {
    bind<Add, float>(b);
  } else if (type == "f64") {
    bind<Add, double>(b);
  } else if (type == "f16") {
    bind<AddHalf<Half>, uint16_t>(b);
  } else if (type == "bf16") {
    bind<AddHalf<BFloat16>, uint16_t>(b);
  } else if (type == "f16x2") {
    bind<AddPair<Half>, uint32_t>(b);
  } else if (type == "bf16x2") {
    bind<AddPair<BFloat16>, uint32_t>(b);
  } else {
    bind_ordered<Add>(b);
  }
}

void bind_operation(Binding& b) {
  if (b.has("add")) {
    bind_add(b);
  } else if (b.has("min")) {
    bind_ordered<Minimum>(b);
  } else if (b.has("max")) {
    bind_ordered<Maximum>(b);
  } else if (b.has("and")) {
    bind_bits<And>(b);
  } else if (b.has("or")) {
    bind_bits<Or>(b);
  } else if (b.has("xor")) {
    bind_bits<Xor>(b);
  } else if (b.has("exch")) {
    bind_bits<Exchange>(b);
  } else if (b.has("cas")) {
    bind_bits<CompareAndSwap>(b);
  } else if (b.has("inc")) {
    b.in.execute = atomic<Increment, uint32_t>;
  } else if (b.has("dec")) {
    b.in.execute = atomic<Decrement, uint32_t>;
  }
}

}  // namespace

bool decode_atomic(Binding& b) {
  const bool has_destination = b.base() == "atom";
  if (!has_destination && b.base() != "red") return false;
  const size_t address = has_destination ? 1 : 0;
  const uint32_t bytes = b.type().ends_with("64") ? 8 : 4;
  if (b.operand(address + 1).kind == ptx::OperandKind::kVector) return true;
  if (!bind_memory_operand(b, b.operand(address))) return true;
  b.in.mode = has_destination;
  b.in.operand[1] = b.read(address + 1, bytes);
  b.in.operand[2] = b.operands() > address + 2 ? b.read(address + 2, bytes) : b.in.operand[1];
  b.in.operand[0] = has_destination ? b.write(0, bytes) : b.in.operand[1];
  bind_operation(b);
  return true;
}

}  // namespace cudasim
