// f32 and f64 arithmetic. The .approx functions are computed exactly rounded or nearly so: a kernel
// must not depend on their last bits anyway.

#include <cfenv>
#include <cmath>

#include "ops/elementwise.h"

namespace cudasim {
namespace {

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Subtract {
  template <typename T>
  T operator()(T a, T b) const {
    return a - b;
  }
};
struct Multiply {
  template <typename T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct Divide {
  template <typename T>
  T operator()(T a, T b) const {
    return a / b;
  }
};
struct MultiplyAdd {
  template <typename T>
  T operator()(T a, T b, T c) const {
    return std::fma(a, b, c);
  }
};
template <bool kIsMin, bool kPropagateNan>
struct MinMax {
  template <typename T>
  T operator()(T a, T b) const {
    if (kPropagateNan && (a != a || b != b)) return a + b;
    if (a != a) return b;
    if (b != b) return a;
    if (a == b) return std::signbit(a) == kIsMin ? a : b;
    return (a < b) == kIsMin ? a : b;
  }
};
struct Negate {
  template <typename T>
  T operator()(T a) const {
    return -a;
  }
};
struct Absolute {
  template <typename T>
  T operator()(T a) const {
    return std::fabs(a);
  }
};
struct CopySign {
  template <typename T>
  T operator()(T sign, T magnitude) const {
    return std::copysign(magnitude, sign);
  }
};
struct Reciprocal {
  template <typename T>
  T operator()(T a) const {
    return T{1} / a;
  }
};
struct SquareRoot {
  template <typename T>
  T operator()(T a) const {
    return std::sqrt(a);
  }
};
struct ReciprocalRoot {
  template <typename T>
  T operator()(T a) const {
    return T{1} / std::sqrt(a);
  }
};
struct Exp2 {
  float operator()(float a) const { return std::exp2(a); }
};
struct Log2 {
  float operator()(float a) const { return std::log2(a); }
};
struct Sine {
  float operator()(float a) const { return std::sin(a); }
};
struct Cosine {
  float operator()(float a) const { return std::cos(a); }
};
struct Tanh {
  float operator()(float a) const { return std::tanh(a); }
};

float flush(float value) {
  return std::fabs(value) < 0x1p-126f ? std::copysign(0.0f, value) : value;
}
double flush(double value) { return value; }

/** .ftz: subnormal inputs and results become zero. */
template <typename Op>
struct Flushed {
  template <typename... T>
  auto operator()(T... values) const {
    return flush(Op{}(flush(values)...));
  }
};

/** .sat: into [0, 1], NaN to 0. */
template <typename Op>
struct Saturated {
  template <typename T, typename... Rest>
  T operator()(T first, Rest... rest) const {
    const T value = Op{}(first, rest...);
    return value > T{0} ? (value < T{1} ? value : T{1}) : T{0};
  }
};

/** .rz, .rm and .rp, through the host's rounding mode. */
template <typename Op, int kMode>
struct Directed {
  template <typename... T>
  __attribute__((noinline)) auto operator()(T... values) const {
    const int saved = std::fegetround();
    std::fesetround(kMode);
    // Reading the operands back from memory keeps the operation between the two calls.
    (pin(values), ...);
    auto result = Op{}(values...);
    pin(result);
    std::fesetround(saved);
    return result;
  }

 private:
  template <typename T>
  static void pin(T& value) {
    asm volatile("" : "+m"(value));
  }
};

template <typename Op, size_t kSources, typename T>
void bind_sources(Binding& b) {
  if constexpr (kSources == 1) bind_map<Op, T, T>(b);
  if constexpr (kSources == 2) bind_map<Op, T, T, T>(b);
  if constexpr (kSources == 3) bind_map<Op, T, T, T, T>(b);
}

template <typename Op, size_t kSources, typename T, int kMode>
void bind_directed(Binding& b) {
  b.has("ftz") ? bind_sources<Directed<Flushed<Op>, kMode>, kSources, T>(b)
               : bind_sources<Directed<Op, kMode>, kSources, T>(b);
}

/** Operations that have no rounding to choose. */
template <typename Op, size_t kSources>
bool bind_plain(Binding& b) {
  return with_float(b.type(), [&]<typename T>() {
    b.has("ftz") ? bind_sources<Flushed<Op>, kSources, T>(b) : bind_sources<Op, kSources, T>(b);
  });
}

template <typename Op, size_t kSources>
bool bind_rounded(Binding& b) {
  return with_float(b.type(), [&]<typename T>() {
    if (b.has("sat")) {
      if (b.has("rz") || b.has("rm") || b.has("rp")) return;
      b.has("ftz") ? bind_sources<Saturated<Flushed<Op>>, kSources, T>(b)
                   : bind_sources<Saturated<Op>, kSources, T>(b);
    } else if (b.has("rz")) {
      bind_directed<Op, kSources, T, FE_TOWARDZERO>(b);
    } else if (b.has("rm")) {
      bind_directed<Op, kSources, T, FE_DOWNWARD>(b);
    } else if (b.has("rp")) {
      bind_directed<Op, kSources, T, FE_UPWARD>(b);
    } else {
      bind_plain<Op, kSources>(b);
    }
  });
}

/** Functions of f32 only. */
template <typename Op>
bool bind_function(Binding& b) {
  if (b.type() != "f32") return false;
  b.has("ftz") ? bind_map<Flushed<Op>, float, float>(b) : bind_map<Op, float, float>(b);
  return true;
}

}  // namespace

bool decode_float(Binding& b) {
  const std::string& op = b.base();
  if (b.type() != "f32" && b.type() != "f64") return false;
  if (op == "add") return bind_rounded<Add, 2>(b);
  if (op == "sub") return bind_rounded<Subtract, 2>(b);
  if (op == "mul") return bind_rounded<Multiply, 2>(b);
  if (op == "fma" || op == "mad") return bind_rounded<MultiplyAdd, 3>(b);
  if (op == "div") return bind_rounded<Divide, 2>(b);
  if (op == "rcp") return bind_rounded<Reciprocal, 1>(b);
  if (op == "sqrt") return bind_rounded<SquareRoot, 1>(b);
  if (op == "rsqrt") return bind_plain<ReciprocalRoot, 1>(b);
  if (op == "min")
    return b.has("NaN") ? bind_plain<MinMax<true, true>, 2>(b)
                        : bind_plain<MinMax<true, false>, 2>(b);
  if (op == "max")
    return b.has("NaN") ? bind_plain<MinMax<false, true>, 2>(b)
                        : bind_plain<MinMax<false, false>, 2>(b);
  if (op == "neg") return bind_plain<Negate, 1>(b);
  if (op == "abs") return bind_plain<Absolute, 1>(b);
  if (op == "copysign") return bind_plain<CopySign, 2>(b);
  if (op == "ex2") return bind_function<Exp2>(b);
  if (op == "lg2") return bind_function<Log2>(b);
  if (op == "sin") return bind_function<Sine>(b);
  if (op == "cos") return bind_function<Cosine>(b);
  if (op == "tanh") return bind_function<Tanh>(b);
  return false;
}

}  // namespace cudasim
