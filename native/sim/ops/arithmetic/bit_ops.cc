// Bit manipulation: logic, shifts, fields, permutation, counting.

#include <bit>
#include <type_traits>

#include "ops/elementwise.h"

namespace cudasim {
namespace {

struct And {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <typename T>
  T operator()(T a) const {
    return static_cast<T>(~a);
  }
};
struct ConditionalNot {
  template <typename T>
  T operator()(T a) const {
    return static_cast<T>(a == 0);
  }
};

// Shift amounts beyond the width give 0 or the sign, not the host's wrap-around.
struct ShiftLeft {
  template <typename T>
  T operator()(T a, uint32_t n) const {
    return n >= 8 * sizeof(T) ? T{0} : static_cast<T>(a << n);
  }
};
struct ShiftRight {
  template <typename T>
  T operator()(T a, uint32_t n) const {
    if (n >= 8 * sizeof(T)) return a < T{0} ? static_cast<T>(-1) : T{0};
    return static_cast<T>(a >> n);
  }
};

template <bool kIsLeft, bool kIsClamped>
struct FunnelShift {
  uint32_t operator()(uint32_t low, uint32_t high, uint32_t n) const {
    const uint64_t both = uint64_t{high} << 32 | low;
    const uint32_t shift = kIsClamped ? (n > 32 ? 32 : n) : n & 31;
    return static_cast<uint32_t>(kIsLeft ? (both << shift) >> 32 : both >> shift);
  }
};

struct Lop3 {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t c, uint32_t table) const {
    uint32_t result = 0;
    if (table & 0x01) result |= ~a & ~b & ~c;
    if (table & 0x02) result |= ~a & ~b & c;
    if (table & 0x04) result |= ~a & b & ~c;
    if (table & 0x08) result |= ~a & b & c;
    if (table & 0x10) result |= a & ~b & ~c;
    if (table & 0x20) result |= a & ~b & c;
    if (table & 0x40) result |= a & b & ~c;
    if (table & 0x80) result |= a & b & c;
    return result;
  }
};

struct Permute {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t selector) const {
    const uint64_t both = uint64_t{b} << 32 | a;
    uint32_t result = 0;
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t select = selector >> (4 * i);
      uint32_t byte = static_cast<uint32_t>(both >> (8 * (select & 7))) & 0xff;
      if (select & 8) byte = (byte & 0x80) ? 0xff : 0;
      result |= byte << (8 * i);
    }
    return result;
  }
};

template <typename T>
T low_mask(uint32_t length) {
  return length >= 8 * sizeof(T) ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << length) - 1);
}

struct ExtractField {
  template <typename T>
  T operator()(T a, uint32_t position, uint32_t length) const {
    using U = std::make_unsigned_t<T>;
    constexpr uint32_t kBits = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    const U shifted = position >= kBits ? U{0} : static_cast<U>(a) >> position;
    U field = shifted & low_mask<U>(length);
    if constexpr (std::is_signed_v<T>) {
      if (length == 0) return 0;
      const uint32_t top = position + length - 1;
      const uint32_t sign = top >= kBits ? kBits - 1 : top;
      if (static_cast<U>(a) >> sign & 1) {
        const uint32_t have = position >= kBits ? 0 : sign - position + 1;
        field |= static_cast<U>(~low_mask<U>(have));
      }
    }
    return static_cast<T>(field);
  }
};

struct InsertField {
  template <typename T>
  T operator()(T a, T into, uint32_t position, uint32_t length) const {
    position &= 0xff;
    length &= 0xff;
    if (position >= 8 * sizeof(T)) return into;
    const T mask = static_cast<T>(low_mask<T>(length) << position);
    return static_cast<T>((into & ~mask) | ((a << position) & mask));
  }
};

struct MakeMask {
  uint32_t operator()(uint32_t position, uint32_t length) const {
    return position > 31 ? 0 : low_mask<uint32_t>(length) << position;
  }
};

struct CountLeadingZeros {
  template <typename T>
  uint32_t operator()(T a) const {
    return static_cast<uint32_t>(std::countl_zero(a));
  }
};
struct CountOnes {
  template <typename T>
  uint32_t operator()(T a) const {
    return static_cast<uint32_t>(std::popcount(a));
  }
};
struct Reverse {
  template <typename T>
  T operator()(T a) const {
    T result = 0;
    for (uint32_t i = 0; i < 8 * sizeof(T); ++i) {
      result = static_cast<T>(result << 1 | (a & 1));
      a >>= 1;
    }
    return result;
  }
};
template <bool kIsShiftAmount>
struct FindLeading {
  template <typename T>
  uint32_t operator()(T a) const {
    using U = std::make_unsigned_t<T>;
    const U bits = static_cast<U>(a < T{0} ? ~a : a);
    if (bits == 0) return ~0u;
    const uint32_t zeros = static_cast<uint32_t>(std::countl_zero(bits));
    return kIsShiftAmount ? zeros : static_cast<uint32_t>(8 * sizeof(T) - 1) - zeros;
  }
};

template <typename Op>
void predicate_logic(Warp& warp, const Instruction& in, uint32_t lanes) {
  warp.set_predicate(in.operand[0], lanes,
                     Op{}(warp.predicates[in.operand[1]], warp.predicates[in.operand[2]]));
}

void predicate_not(Warp& warp, const Instruction& in, uint32_t lanes) {
  warp.set_predicate(in.operand[0], lanes, ~warp.predicates[in.operand[1]]);
}

bool decode_predicate_logic(Binding& b) {
  b.in.operand[0] = b.write_predicate(b.operand(0));
  b.in.operand[1] = b.read_predicate(b.operand(1));
  if (b.base() == "not") {
    b.in.execute = predicate_not;
    return true;
  }
  b.in.operand[2] = b.read_predicate(b.operand(2));
  b.in.execute = b.base() == "and"  ? predicate_logic<And>
                 : b.base() == "or" ? predicate_logic<Or>
                                    : predicate_logic<Xor>;
  return true;
}

template <typename Op>
bool bind_shift(Binding& b) {
  return with_integer(b.type(), [&]<typename T>() { bind_map<Op, T, T, uint32_t>(b); });
}

// Counting operations treat their operand as unsigned.
template <typename Op>
bool bind_count(Binding& b) {
  const bool is_wide = b.type() == "b64";
  is_wide ? bind_map<Op, uint32_t, uint64_t>(b) : bind_map<Op, uint32_t, uint32_t>(b);
  return is_wide || b.type() == "b32";
}

bool decode_funnel_shift(Binding& b) {
  using W = uint32_t;
  const bool is_left = b.part(1) == "l", is_clamped = b.part(2) == "clamp";
  if (is_left) {
    is_clamped ? bind_map<FunnelShift<true, true>, W, W, W, W>(b)
               : bind_map<FunnelShift<true, false>, W, W, W, W>(b);
  } else {
    is_clamped ? bind_map<FunnelShift<false, true>, W, W, W, W>(b)
               : bind_map<FunnelShift<false, false>, W, W, W, W>(b);
  }
  return true;
}

bool decode_field(Binding& b) {
  using W = uint32_t;
  if (b.base() == "bfe") {
    return with_integer(b.type(), [&]<typename T>() {
      if constexpr (sizeof(T) >= 4) bind_map<ExtractField, T, T, W, W>(b);
    });
  }
  if (b.type() == "b64") {
    bind_map<InsertField, uint64_t, uint64_t, uint64_t, W, W>(b);
  } else {
    bind_map<InsertField, W, W, W, W, W>(b);
  }
  return true;
}

bool decode_find_leading(Binding& b) {
  return with_integer(b.type(), [&]<typename T>() {
    if constexpr (sizeof(T) >= 4) {
      b.has("shiftamt") ? bind_map<FindLeading<true>, uint32_t, T>(b)
                        : bind_map<FindLeading<false>, uint32_t, T>(b);
    }
  });
}

}  // namespace

bool decode_bits(Binding& b) {
  using W = uint32_t;
  const std::string& op = b.base();
  const bool is_logic = op == "and" || op == "or" || op == "xor" || op == "not";
  if (is_logic && b.type() == "pred") return decode_predicate_logic(b);
  if (op == "and") return bind_integer_binary<And>(b);
  if (op == "or") return bind_integer_binary<Or>(b);
  if (op == "xor") return bind_integer_binary<Xor>(b);
  if (op == "not") return bind_integer_unary<Not>(b);
  if (op == "cnot") return bind_integer_unary<ConditionalNot>(b);
  if (op == "shl") return bind_shift<ShiftLeft>(b);
  if (op == "shr") return bind_shift<ShiftRight>(b);
  if (op == "shf") return decode_funnel_shift(b);
  if (op == "bfe" || op == "bfi") return decode_field(b);
  if (op == "bfind") return decode_find_leading(b);
  if (op == "clz") return bind_count<CountLeadingZeros>(b);
  if (op == "popc") return bind_count<CountOnes>(b);
  if (op == "brev") {
    return b.type() == "b64" ? (bind_map<Reverse, uint64_t, uint64_t>(b), true)
                             : (bind_map<Reverse, W, W>(b), true);
  }
  if (op == "lop3" && b.parts() == 2) return bind_map<Lop3, W, W, W, W, W>(b), true;
  if (op == "prmt" && b.parts() == 2) return bind_map<Permute, W, W, W, W>(b), true;
  if (op == "bmsk" && b.has("clamp")) return bind_map<MakeMask, W, W, W>(b), true;
  return false;
}

}  // namespace cudasim
