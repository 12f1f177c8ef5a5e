// Integer arithmetic of 16, 32 and 64 bits. Built with -fwrapv: overflow wraps as on the device.

#include <algorithm>
#include <cstdlib>
#include <type_traits>

#include "ops/elementwise.h"

namespace cudasim {
namespace {

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
};
struct Subtract {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a - b);
  }
};
struct MultiplyLow {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(uint64_t(a) * uint64_t(b));
  }
};
struct MultiplyAddLow {
  template <typename T>
  T operator()(T a, T b, T c) const {
    return static_cast<T>(uint64_t(a) * uint64_t(b) + uint64_t(c));
  }
};

template <typename T>
using Wide = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                       std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

struct MultiplyHigh {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>((Wide<T>(a) * Wide<T>(b)) >> (8 * sizeof(T)));
  }
};
struct MultiplyAddHigh {
  template <typename T>
  T operator()(T a, T b, T c) const {
    return static_cast<T>(MultiplyHigh{}(a, b) + c);
  }
};
struct MultiplyWide {
  template <typename T>
  Wide<T> operator()(T a, T b) const {
    return static_cast<Wide<T>>(Wide<T>(a) * Wide<T>(b));
  }
};
struct MultiplyAddWide {
  template <typename T>
  Wide<T> operator()(T a, T b, Wide<T> c) const {
    return static_cast<Wide<T>>(Wide<T>(a) * Wide<T>(b) + c);
  }
};

// Division by zero is not trapped by hardware; all ones is what it returns.
struct Divide {
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return static_cast<T>(-1);
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(-a);
    }
    return static_cast<T>(a / b);
  }
};
struct Remainder {
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return a;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
    }
    return static_cast<T>(a % b);
  }
};
struct Minimum {
  template <typename T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
};
struct Maximum {
  template <typename T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
};
struct Negate {
  template <typename T>
  T operator()(T a) const {
    return static_cast<T>(-a);
  }
};
struct Absolute {
  template <typename T>
  T operator()(T a) const {
    return static_cast<T>(a < 0 ? -a : a);
  }
};
struct SumOfAbsoluteDifference {
  template <typename T>
  T operator()(T a, T b, T c) const {
    return static_cast<T>(c + (a < b ? b - a : a - b));
  }
};
struct AddSaturated {
  int32_t operator()(int32_t a, int32_t b) const { return clamp(int64_t{a} + b); }
  static int32_t clamp(int64_t v) {
    return static_cast<int32_t>(std::clamp<int64_t>(v, INT32_MIN, INT32_MAX));
  }
};
struct SubtractSaturated {
  int32_t operator()(int32_t a, int32_t b) const { return AddSaturated::clamp(int64_t{a} - b); }
};

template <typename A, typename B>
struct DotProduct4 {
  int32_t operator()(uint32_t a, uint32_t b, uint32_t c) const {
    int32_t sum = static_cast<int32_t>(c);
    for (int i = 0; i < 4; ++i) {
      sum += static_cast<int32_t>(static_cast<A>(a >> (8 * i))) *
             static_cast<int32_t>(static_cast<B>(b >> (8 * i)));
    }
    return sum;
  }
};

template <typename T>
struct AbsoluteDifference4 {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t) const {
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
      const int x = static_cast<T>(a >> (8 * i)), y = static_cast<T>(b >> (8 * i));
      result |= static_cast<uint32_t>(std::abs(x - y) & 0xff) << (8 * i);
    }
    return result;
  }
};

template <typename Op>
bool bind_ternary(Binding& b) {
  return with_integer(b.type(), [&]<typename T>() { bind_map<Op, T, T, T, T>(b); });
}

bool decode_multiply(Binding& b, bool is_mad) {
  if (b.has("wide")) {
    return with_integer(b.type(), [&]<typename T>() {
      if constexpr (sizeof(T) < 8) {
        if (is_mad) {
          bind_map<MultiplyAddWide, Wide<T>, T, T, Wide<T>>(b);
        } else {
          bind_map<MultiplyWide, Wide<T>, T, T>(b);
        }
      }
    });
  }
  if (b.has("hi"))
    return is_mad ? bind_ternary<MultiplyAddHigh>(b) : bind_integer_binary<MultiplyHigh>(b);
  if (b.has("sat") || b.has("cc")) return false;
  return is_mad ? bind_ternary<MultiplyAddLow>(b) : bind_integer_binary<MultiplyLow>(b);
}

bool decode_sum(Binding& b) {
  if (b.has("cc")) return false;
  const bool is_add = b.base() == "add";
  if (b.has("sat")) {
    if (b.type() != "s32") return false;
    is_add ? bind_map<AddSaturated, int32_t, int32_t, int32_t>(b)
           : bind_map<SubtractSaturated, int32_t, int32_t, int32_t>(b);
    return true;
  }
  return is_add ? bind_integer_binary<Add>(b) : bind_integer_binary<Subtract>(b);
}

bool decode_dot_product(Binding& b) {
  const bool is_a_signed = b.part(1) == "s32", is_b_signed = b.part(2) == "s32";
  using W = uint32_t;
  if (is_a_signed && is_b_signed) {
    bind_map<DotProduct4<int8_t, int8_t>, int32_t, W, W, W>(b);
  } else if (is_a_signed) {
    bind_map<DotProduct4<int8_t, uint8_t>, int32_t, W, W, W>(b);
  } else if (is_b_signed) {
    bind_map<DotProduct4<uint8_t, int8_t>, int32_t, W, W, W>(b);
  } else {
    bind_map<DotProduct4<uint8_t, uint8_t>, int32_t, W, W, W>(b);
  }
  return true;
}

}  // namespace

bool decode_integer(Binding& b) {
  const std::string& op = b.base();
  if (op == "add" || op == "sub") return decode_sum(b);
  if (op == "mul" || op == "mul24") return decode_multiply(b, false);
  if (op == "mad" || op == "mad24") return decode_multiply(b, true);
  if (op == "div") return bind_integer_binary<Divide>(b);
  if (op == "rem") return bind_integer_binary<Remainder>(b);
  if (op == "min") return bind_integer_binary<Minimum>(b);
  if (op == "max") return bind_integer_binary<Maximum>(b);
  if (op == "neg") return bind_integer_unary<Negate>(b);
  if (op == "abs") return bind_integer_unary<Absolute>(b);
  if (op == "sad") return bind_ternary<SumOfAbsoluteDifference>(b);
  if (op == "dp4a") return decode_dot_product(b);
  if (op == "vabsdiff4" && b.parts() == 4) {
    using W = uint32_t;
    b.part(2) == "s32" ? bind_map<AbsoluteDifference4<int8_t>, W, W, W, W>(b)
                       : bind_map<AbsoluteDifference4<uint8_t>, W, W, W, W>(b);
    return true;
  }
  return false;
}

}  // namespace cudasim
