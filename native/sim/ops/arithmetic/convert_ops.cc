// cvt between integers, f16, bf16, f32 and f64.

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>

#include "ops/arithmetic/half_float.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

enum class Rounding : uint8_t { kNearest, kZero, kDown, kUp };

template <typename T>
constexpr bool kIsHalf = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <typename T>
constexpr bool kIsFloating = std::is_floating_point_v<T> || kIsHalf<T>;

double round_to_integer(double value, Rounding rounding) {
  switch (rounding) {
    case Rounding::kNearest: return std::nearbyint(value);
    case Rounding::kZero: return std::trunc(value);
    case Rounding::kDown: return std::floor(value);
    case Rounding::kUp: return std::ceil(value);
  }
  return value;
}

template <typename D>
D saturate_to_integer(double value) {
  // Float to integer always saturates; NaN gives 0.
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(std::numeric_limits<D>::min()))
    return std::numeric_limits<D>::min();
  if (value >= static_cast<double>(std::numeric_limits<D>::max()))
    return std::numeric_limits<D>::max();
  return static_cast<D>(value);
}

// The next float towards zero, down or up when the nearest one lies on the wrong side.
float round_to_float(double value, Rounding rounding) {
  float nearest = static_cast<float>(value);
  const double back = static_cast<double>(nearest);
  if (rounding == Rounding::kNearest || back == value || std::isnan(value)) return nearest;
  const bool go_up = rounding == Rounding::kUp || (rounding == Rounding::kZero && value < 0);
  if (go_up && back < value) return std::nextafter(nearest, std::numeric_limits<float>::infinity());
  if (!go_up && back > value)
    return std::nextafter(nearest, -std::numeric_limits<float>::infinity());
  return nearest;
}

template <typename T>
T narrow_with(float value, Rounding rounding) {
  const T nearest = narrow<T>(value);
  if (rounding != Rounding::kZero || std::isnan(value)) return nearest;
  if (std::fabs(to_float(nearest)) <= std::fabs(value)) return nearest;
  return {static_cast<uint16_t>(nearest.bits - 1)};  // one step towards zero in either sign
}

template <typename S>
double widen(S value) {
  if constexpr (kIsHalf<S>) {
    return to_float(value);
  } else {
    return static_cast<double>(value);
  }
}

template <typename D, typename S, Rounding kRounding, bool kToInteger, bool kSaturate>
struct Convert {
  D operator()(S value) const {
    if constexpr (!kIsFloating<S> && !kIsFloating<D>) {
      if constexpr (kSaturate) return clamp_integer(value);
      return static_cast<D>(value);
    } else if constexpr (!kIsFloating<D>) {
      return saturate_to_integer<D>(round_to_integer(widen(value), kRounding));
    } else {
      return to_floating(value);
    }
  }

 private:
  static D clamp_integer(S value) {
    const __int128 low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max();
    return static_cast<D>(std::clamp<__int128>(value, low, high));
  }

  static D to_floating(S value) {
    if constexpr (std::is_same_v<D, S> && !kToInteger && !kSaturate) {
      return value;
    } else if constexpr (std::is_same_v<D, double>) {
      const double wide = widen(value);
      return limit(kToInteger ? round_to_integer(wide, kRounding) : wide);
    } else if constexpr (std::is_same_v<D, float>) {
      if constexpr (kToInteger) {
        return limit(static_cast<float>(round_to_integer(widen(value), kRounding)));
      } else if constexpr (std::is_integral_v<S> && kRounding == Rounding::kNearest) {
        return limit(static_cast<float>(value));  // one rounding, also from 64 bits
      } else {
        return limit(round_to_float(widen(value), kRounding));
      }
    } else {
      const double wide = widen(value);
      if constexpr (kToInteger) {
        return narrow<D>(limit(static_cast<float>(round_to_integer(wide, kRounding))));
      }
      // Integers and doubles lose bits on the way to f32: round to odd there, once more to 16 bits.
      return narrow_with<D>(limit(add_round_to_odd(wide, 0.0)), kRounding);
    }
  }

  template <typename T>
  static T limit(T value) {
    if constexpr (!kSaturate) return value;
    return value > T{0} ? (value < T{1} ? value : T{1}) : T{0};
  }
};

struct Relu {
  static float apply(float value) { return value > 0 ? value : 0; }
};

// cvt.rn{.relu}.<pair>.f32 d, high, low
template <typename T, Rounding kRounding, bool kRelu>
struct PackPair {
  uint32_t operator()(float high, float low) const {
    if (kRelu) {
      high = std::isnan(high) ? high : Relu::apply(high);
      low = std::isnan(low) ? low : Relu::apply(low);
    }
    return uint32_t{narrow_with<T>(low, kRounding).bits} |
           uint32_t{narrow_with<T>(high, kRounding).bits} << 16;
  }
};

struct RoundToTf32 {
  uint32_t operator()(float value) const {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffffffu;
    return (bits + 0x1000u) & ~0x1fffu;  // .rna: nearest, ties away from zero
  }
};

/** The source register may be wider than the source type: only its low bits count. */
template <typename Op, typename S>
struct FromWideRegister {
  auto operator()(uint64_t value) const { return Op{}(from_slot<S>(static_cast<uint32_t>(value))); }
};

template <typename Op, typename D, typename S>
void bind_source(Binding& b) {
  if constexpr (std::is_integral_v<S> && sizeof(S) < 8) {
    if (b.register_bytes(b.operand(1)) == 8) {
      bind_map<FromWideRegister<Op, S>, D, uint64_t>(b);
      return;
    }
  }
  bind_map<Op, D, S>(b);
}

template <typename D, typename S, Rounding kRounding, bool kToInteger>
void bind_saturation(Binding& b) {
  b.has("sat") ? bind_source<Convert<D, S, kRounding, kToInteger, true>, D, S>(b)
               : bind_source<Convert<D, S, kRounding, kToInteger, false>, D, S>(b);
}

template <typename D, typename S>
void bind_conversion(Binding& b) {
  using R = Rounding;
  if constexpr (!kIsFloating<S> && !kIsFloating<D>) {
    bind_saturation<D, S, R::kNearest, false>(b);
  } else if (b.has("rni")) {
    bind_saturation<D, S, R::kNearest, true>(b);
  } else if (b.has("rzi")) {
    bind_saturation<D, S, R::kZero, true>(b);
  } else if (b.has("rmi")) {
    bind_saturation<D, S, R::kDown, true>(b);
  } else if (b.has("rpi")) {
    bind_saturation<D, S, R::kUp, true>(b);
  } else if (b.has("rz")) {
    bind_saturation<D, S, R::kZero, false>(b);
  } else if (b.has("rm")) {
    bind_saturation<D, S, R::kDown, false>(b);
  } else if (b.has("rp")) {
    bind_saturation<D, S, R::kUp, false>(b);
  } else {
    bind_saturation<D, S, R::kNearest, false>(b);
  }
}

template <typename Body>
bool with_scalar(const std::string& name, Body body) {
  if (name == "u8") return body.template operator()<uint8_t>(), true;
  if (name == "s8") return body.template operator()<int8_t>(), true;
  if (name == "f16") return body.template operator()<Half>(), true;
  if (name == "bf16") return body.template operator()<BFloat16>(), true;
  return with_float(name, body) || with_integer(name, body);
}

/** Sign-extends what a narrow signed result leaves in its wider register. */
void extend_signed_byte(Warp& warp, const Instruction& in, uint32_t lanes) {
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  const uint32_t* a = warp.at<uint32_t>(in.operand[1]);
  for_lanes(lanes, [&](int l) {
    d[l] = static_cast<uint16_t>(static_cast<int16_t>(static_cast<int8_t>(a[l])));
  });
}

template <typename T>
bool bind_pair(Binding& b) {
  if (b.has("rz")) {
    bind_map<PackPair<T, Rounding::kZero, false>, uint32_t, float, float>(b);
  } else if (b.has("relu")) {
    bind_map<PackPair<T, Rounding::kNearest, true>, uint32_t, float, float>(b);
  } else {
    bind_map<PackPair<T, Rounding::kNearest, false>, uint32_t, float, float>(b);
  }
  return true;
}

}  // namespace

bool decode_convert(Binding& b) {
  if (b.base() != "cvt") return false;
  const std::string &to = b.part(b.parts() - 2), &from = b.type();
  if (to == "bf16x2" && from == "f32") return bind_pair<BFloat16>(b);
  if (to == "f16x2" && from == "f32") return bind_pair<Half>(b);
  if (to == "tf32" && from == "f32")
    return b.has("rna") && (bind_map<RoundToTf32, uint32_t, float>(b), true);
  if (b.has("relu")) return false;
  // An 8-bit signed result lives sign-extended in a 16-bit register.
  if (to == "s16" && from == "s8") {
    b.in.operand[0] = b.write(0, 2);
    b.in.operand[1] = b.read(1, 2);
    b.in.execute = extend_signed_byte;
    return true;
  }
  with_scalar(to, [&]<typename D>() {
    with_scalar(from, [&]<typename S>() { bind_conversion<D, S>(b); });
  });
  return true;
}

}  // namespace cudasim
