// setp, set, selp, slct and testp.

#include <cmath>

#include "ops/arithmetic/half_float.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

// Plain comparisons of C++ are the ordered ones: false when an operand is NaN, except !=.
enum class Comparison : uint8_t {
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kEqu,
  kNeu,
  kLtu,
  kLeu,
  kGtu,
  kGeu,
  kNum,
  kNan
};

template <Comparison kComparison, typename T>
bool holds(T a, T b) {
  const bool unordered = a != a || b != b;
  switch (kComparison) {
    case Comparison::kEq: return a == b;
    case Comparison::kNe: return !unordered && a != b;
    case Comparison::kLt: return a < b;
    case Comparison::kLe: return a <= b;
    case Comparison::kGt: return a > b;
    case Comparison::kGe: return a >= b;
    case Comparison::kEqu: return unordered || a == b;
    case Comparison::kNeu: return a != b;
    case Comparison::kLtu: return !(a >= b);
    case Comparison::kLeu: return !(a > b);
    case Comparison::kGtu: return !(a <= b);
    case Comparison::kGeu: return !(a < b);
    case Comparison::kNum: return !unordered;
    case Comparison::kNan: return unordered;
  }
  return false;
}

// Comparable value of a register slot.
template <typename T>
auto value_of(Slot<T> slot) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return to_float(from_slot<T>(slot));
  } else {
    return from_slot<T>(slot);
  }
}

template <Comparison kComparison, typename T>
uint32_t compare_all(Warp& warp, const Instruction& in) {
  const Slot<T>* a = warp.at<Slot<T>>(in.operand[2]);
  const Slot<T>* b = warp.at<Slot<T>>(in.operand[3]);
  uint32_t result = 0;
  for (uint32_t l = 0; l < kLanes; ++l) {
    result |= static_cast<uint32_t>(holds<kComparison>(value_of<T>(a[l]), value_of<T>(b[l]))) << l;
  }
  return result;
}

enum Combination : uint8_t { kNone, kAnd, kOr, kXor };

uint32_t combine(uint8_t how, uint32_t compared, uint32_t with) {
  switch (how) {
    case kAnd: return compared & with;
    case kOr: return compared | with;
    case kXor: return compared ^ with;
    default: return compared;
  }
}

// operands: p, q, a, b, predicate to combine with; mode: Combination; count: that predicate is
// negated
template <Comparison kComparison, typename T>
void set_predicates(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t compared = compare_all<kComparison, T>(warp, in);
  const uint32_t with = in.count ? ~warp.predicates[in.operand[4]] : warp.predicates[in.operand[4]];
  warp.set_predicate(in.operand[0], lanes, combine(in.mode, compared, with));
  warp.set_predicate(in.operand[1], lanes, combine(in.mode, ~compared, with));
}

// set: all ones or 1.0f in a register; immediate is the value for true
template <Comparison kComparison, typename T>
void set_words(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t compared = compare_all<kComparison, T>(warp, in);
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  for_lanes(lanes,
            [&](int l) { d[l] = (compared >> l & 1) ? static_cast<uint32_t>(in.immediate) : 0; });
}

template <typename T, Comparison kComparison>
void set_pairs(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t* a = warp.at<uint32_t>(in.operand[2]);
  const uint32_t* b = warp.at<uint32_t>(in.operand[3]);
  uint32_t* d = warp.at<uint32_t>(in.operand[0]);
  const uint32_t one = static_cast<uint32_t>(in.immediate);
  for_lanes(lanes, [&](int l) {
    const bool low = holds<kComparison>(value_of<T>(a[l] & 0xffff), value_of<T>(b[l] & 0xffff));
    const bool high = holds<kComparison>(value_of<T>(a[l] >> 16), value_of<T>(b[l] >> 16));
    d[l] = (low ? one : 0) | (high ? one << 16 : 0);
  });
}

template <typename Body>
bool with_comparison(const std::string& name, Body body) {
  using C = Comparison;
  if (name == "eq") return body.template operator()<C::kEq>(), true;
  if (name == "ne") return body.template operator()<C::kNe>(), true;
  if (name == "lt" || name == "lo") return body.template operator()<C::kLt>(), true;
  if (name == "le" || name == "ls") return body.template operator()<C::kLe>(), true;
  if (name == "gt" || name == "hi") return body.template operator()<C::kGt>(), true;
  if (name == "ge" || name == "hs") return body.template operator()<C::kGe>(), true;
  if (name == "equ") return body.template operator()<C::kEqu>(), true;
  if (name == "neu") return body.template operator()<C::kNeu>(), true;
  if (name == "ltu") return body.template operator()<C::kLtu>(), true;
  if (name == "leu") return body.template operator()<C::kLeu>(), true;
  if (name == "gtu") return body.template operator()<C::kGtu>(), true;
  if (name == "geu") return body.template operator()<C::kGeu>(), true;
  if (name == "num") return body.template operator()<C::kNum>(), true;
  if (name == "nan") return body.template operator()<C::kNan>(), true;
  return false;
}

template <typename Body>
bool with_comparable(const std::string& name, Body body) {
  if (name == "f16") return body.template operator()<Half>(), true;
  if (name == "bf16") return body.template operator()<BFloat16>(), true;
  return with_float(name, body) || with_integer(name, body);
}

uint8_t combination_named(const Binding& b) {
  for (size_t i = 1; i < b.parts(); ++i) {
    if (b.part(i) == "and") return kAnd;
    if (b.part(i) == "or") return kOr;
    if (b.part(i) == "xor") return kXor;
  }
  return kNone;
}

bool decode_setp(Binding& b) {
  const ptx::Operand& destination = b.operand(0);
  b.in.operand[0] = b.write_predicate(destination);
  b.in.operand[1] =
      b.write_predicate(destination.elements.empty() ? ptx::Operand{} : destination.elements[0]);
  b.in.mode = combination_named(b);
  if (b.in.mode != kNone) {
    bool is_negated = false;
    b.in.operand[4] = b.read_predicate(b.operand(3), &is_negated);
    b.in.count = is_negated;
  }
  return with_comparable(b.type(), [&]<typename T>() {
    b.in.operand[2] = b.read(1, sizeof(T));
    b.in.operand[3] = b.read(2, sizeof(T));
    with_comparison(b.part(1), [&]<Comparison kComparison>() {
      b.in.execute = set_predicates<kComparison, T>;
    });
  });
}

// set.<comparison>{.ftz}.<destination type>.<source type>
bool decode_set(Binding& b) {
  const std::string& to = b.part(b.parts() - 2);
  if (combination_named(b) != kNone) return false;
  b.in.operand[0] = b.write(0, 4);
  if (to == "f16x2" || to == "bf16x2") {
    b.in.immediate = to == "f16x2" ? 0x3c00 : 0x3f80;
    b.in.operand[2] = b.read(1, 4);
    b.in.operand[3] = b.read(2, 4);
    return with_comparison(b.part(1), [&]<Comparison kComparison>() {
      b.in.execute =
          to == "f16x2" ? set_pairs<Half, kComparison> : set_pairs<BFloat16, kComparison>;
    });
  }
  if (to != "u32" && to != "s32" && to != "f32") return false;
  b.in.immediate = to == "f32" ? 0x3f800000 : 0xffffffff;
  return with_comparable(b.type(), [&]<typename T>() {
    b.in.operand[2] = b.read(1, sizeof(T));
    b.in.operand[3] = b.read(2, sizeof(T));
    with_comparison(b.part(1),
                    [&]<Comparison kComparison>() { b.in.execute = set_words<kComparison, T>; });
  });
}

template <typename T>
void select(Warp& warp, const Instruction& in, uint32_t lanes) {
  T* d = warp.at<T>(in.operand[0]);
  const T* a = warp.at<T>(in.operand[1]);
  const T* b = warp.at<T>(in.operand[2]);
  const uint32_t predicate = warp.predicates[in.operand[3]];
#pragma GCC ivdep
  for (uint32_t l = 0; l < kLanes; ++l) {
    const T value = (predicate >> l & 1) ? a[l] : b[l];
    d[l] = (lanes >> l & 1) ? value : d[l];
  }
}

bool decode_select(Binding& b) {
  const bool is_wide = b.type().ends_with("64");
  const uint32_t bytes = is_wide ? 8 : b.type().ends_with("16") ? 2 : 4;
  bool is_negated = false;
  b.in.operand[0] = b.write(0, bytes);
  b.in.operand[3] = b.read_predicate(b.operand(3), &is_negated);
  b.in.operand[is_negated ? 2 : 1] = b.read(1, bytes);
  b.in.operand[is_negated ? 1 : 2] = b.read(2, bytes);
  b.in.execute = is_wide ? select<uint64_t> : select<uint32_t>;
  return true;
}

struct SelectBySign {
  template <typename T, typename S>
  T operator()(T a, T b, S sign) const {
    return sign >= S{0} ? a : b;
  }
};

// slct.<type>.<sign type>
bool decode_slct(Binding& b) {
  const bool is_float = b.type() == "f32";
  const std::string& type = b.part(b.parts() - 2);
  if (type.ends_with("64")) {
    using T = uint64_t;
    is_float ? bind_map<SelectBySign, T, T, T, float>(b)
             : bind_map<SelectBySign, T, T, T, int32_t>(b);
  } else {
    using T = uint32_t;
    is_float ? bind_map<SelectBySign, T, T, T, float>(b)
             : bind_map<SelectBySign, T, T, T, int32_t>(b);
  }
  return true;
}

template <typename T>
void test_class(Warp& warp, const Instruction& in, uint32_t lanes) {
  const Slot<T>* a = warp.at<Slot<T>>(in.operand[1]);
  uint32_t result = 0;
  for_lanes(lanes, [&](int l) {
    const int kind = std::fpclassify(from_slot<T>(a[l]));
    result |= static_cast<uint32_t>((in.immediate >> kind) & 1) << l;
  });
  warp.set_predicate(in.operand[0], lanes, result);
}

bool decode_testp(Binding& b) {
  const auto bit = [](int kind) { return int64_t{1} << kind; };
  const int64_t finite = bit(FP_NORMAL) | bit(FP_SUBNORMAL) | bit(FP_ZERO);
  const std::string& what = b.part(1);
  b.in.immediate = what == "finite"       ? finite
                   : what == "infinite"   ? bit(FP_INFINITE)
                   : what == "number"     ? finite | bit(FP_INFINITE)
                   : what == "notanumber" ? bit(FP_NAN)
                   : what == "normal"     ? bit(FP_NORMAL)
                   : what == "subnormal"  ? bit(FP_SUBNORMAL)
                                          : 0;
  b.in.operand[0] = b.write_predicate(b.operand(0));
  return with_float(b.type(), [&]<typename T>() {
    b.in.operand[1] = b.read(1, sizeof(T));
    b.in.execute = test_class<T>;
  });
}

}  // namespace

bool decode_compare(Binding& b) {
  const std::string& op = b.base();
  if (op == "setp") return decode_setp(b);
  if (op == "set") return decode_set(b);
  if (op == "selp") return decode_select(b);
  if (op == "slct") return decode_slct(b);
  if (op == "testp") return decode_testp(b);
  return false;
}

}  // namespace cudasim
