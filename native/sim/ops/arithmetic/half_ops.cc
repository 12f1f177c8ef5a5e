// f16, bf16 and their packed pairs.

#include <cmath>

#include "ops/arithmetic/half_float.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

template <typename T>
struct Pair {
  T low, high;
};

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return narrow<T>(add_round_to_odd(to_float(a), to_float(b)));
  }
};
struct Subtract {
  template <typename T>
  T operator()(T a, T b) const {
    return narrow<T>(add_round_to_odd(to_float(a), -to_float(b)));
  }
};
struct Multiply {
  template <typename T>
  T operator()(T a, T b) const {
    return narrow<T>(to_float(a) *
                     to_float(b));  // at most 22 bits: exact in f32 but for the exponent
  }
};
struct MultiplyAdd {
  template <typename T>
  T operator()(T a, T b, T c) const {
    return fused_multiply_add(a, b, c);
  }
};
struct MultiplyAddRelu {
  template <typename T>
  T operator()(T a, T b, T c) const {
    const T value = fused_multiply_add(a, b, c);
    return to_float(value) > 0 || std::isnan(to_float(value)) ? value : T{0};
  }
};

// -0 < +0; a NaN loses against a number, unless kPropagateNan.
template <bool kIsMin, bool kPropagateNan>
struct MinMax {
  template <typename T>
  T operator()(T a, T b) const {
    const float x = to_float(a), y = to_float(b);
    if (std::isnan(x) || std::isnan(y)) {
      if (kPropagateNan || (std::isnan(x) && std::isnan(y))) return T{0x7fff};
      return std::isnan(x) ? b : a;
    }
    if (x == y) return (std::signbit(x) == kIsMin) ? a : b;
    return ((x < y) == kIsMin) ? a : b;
  }
};
struct Negate {
  template <typename T>
  T operator()(T a) const {
    return {static_cast<uint16_t>(a.bits ^ 0x8000)};
  }
};
struct Absolute {
  template <typename T>
  T operator()(T a) const {
    return {static_cast<uint16_t>(a.bits & 0x7fff)};
  }
};
struct Exp2 {
  template <typename T>
  T operator()(T a) const {
    return narrow<T>(std::exp2(to_float(a)));
  }
};
struct Tanh {
  template <typename T>
  T operator()(T a) const {
    return narrow<T>(std::tanh(to_float(a)));
  }
};

// Applies a scalar operation to both halves.
template <typename Op>
struct Packed {
  template <typename T, typename... Rest>
  Pair<T> operator()(Pair<T> a, Rest... rest) const {
    return {Op{}(a.low, rest.low...), Op{}(a.high, rest.high...)};
  }
};

template <typename Op, size_t kSources>
bool bind(Binding& b) {
  const auto bind_as = [&]<typename Operation, typename T>() {
    if constexpr (kSources == 1) bind_map<Operation, T, T>(b);
    if constexpr (kSources == 2) bind_map<Operation, T, T, T>(b);
    if constexpr (kSources == 3) bind_map<Operation, T, T, T, T>(b);
    return true;
  };
  if (b.type() == "f16") return bind_as.template operator()<Op, Half>();
  if (b.type() == "bf16") return bind_as.template operator()<Op, BFloat16>();
  if (b.type() == "f16x2") return bind_as.template operator()<Packed<Op>, Pair<Half>>();
  if (b.type() == "bf16x2") return bind_as.template operator()<Packed<Op>, Pair<BFloat16>>();
  return false;
}

}  // namespace

bool decode_half(Binding& b) {
  const std::string& op = b.base();
  const std::string& type = b.type();
  if (type != "f16" && type != "bf16" && type != "f16x2" && type != "bf16x2") return false;
  if (b.has("sat") || b.has("ftz")) {
    // .ftz matters only for f16 subnormals, which nothing here flushes.
    if (op != "ex2" && op != "tanh") return false;
  }
  if (op == "add") return bind<Add, 2>(b);
  if (op == "sub") return bind<Subtract, 2>(b);
  if (op == "mul") return bind<Multiply, 2>(b);
  if (op == "fma") {
    if (b.has("oob")) return false;
    return b.has("relu") ? bind<MultiplyAddRelu, 3>(b) : bind<MultiplyAdd, 3>(b);
  }
  if (op == "min")
    return b.has("NaN") ? bind<MinMax<true, true>, 2>(b) : bind<MinMax<true, false>, 2>(b);
  if (op == "max")
    return b.has("NaN") ? bind<MinMax<false, true>, 2>(b) : bind<MinMax<false, false>, 2>(b);
  if (op == "neg") return bind<Negate, 1>(b);
  if (op == "abs") return bind<Absolute, 1>(b);
  if (op == "ex2") return bind<Exp2, 1>(b);
  if (op == "tanh") return bind<Tanh, 1>(b);
  return false;
}

}  // namespace cudasim
