// mov with packing and unpacking, address conversion, the clocks.

#include <chrono>

#include "exec/access.h"
#include "exec/block.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

struct Identity {
  template <typename T>
  T operator()(T a) const {
    return a;
  }
};

template <uint64_t kWindow, bool kAdd>
struct Rebase {
  uint64_t operator()(uint64_t a) const { return kAdd ? a + kWindow : a - kWindow; }
};

void move_predicate(Warp& warp, const Instruction& in, uint32_t lanes) {
  warp.set_predicate(in.operand[0], lanes, warp.predicates[in.operand[1]]);
}

// operand 0: whole, 1..count: parts; width: bytes of a part
void pack(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t bits = in.width * 8u;
  for_lanes(lanes, [&](int l) {
    uint64_t whole = 0;
    for (uint32_t i = 0; i < in.count; ++i) {
      const uint64_t part = warp.at<uint32_t>(in.operand[1 + i])[l];
      whole |= (part & ((uint64_t{1} << bits) - 1)) << (bits * i);
    }
    if (bits * in.count == 64) {
      warp.at<uint64_t>(in.operand[0])[l] = whole;
    } else {
      warp.at<uint32_t>(in.operand[0])[l] = static_cast<uint32_t>(whole);
    }
  });
}

void unpack(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t bits = in.width * 8u;
  for_lanes(lanes, [&](int l) {
    const uint64_t whole = bits * in.count == 64 ? warp.at<uint64_t>(in.operand[0])[l]
                                                 : warp.at<uint32_t>(in.operand[0])[l];
    for (uint32_t i = 0; i < in.count; ++i) {
      warp.at<uint32_t>(in.operand[1 + i])[l] =
          static_cast<uint32_t>(whole >> (bits * i) & ((uint64_t{1} << bits) - 1));
    }
  });
}

uint64_t nanoseconds() {
  using namespace std::chrono;
  return static_cast<uint64_t>(
      duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count());
}

template <typename T, bool kIsTimer>
void read_clock(Warp& warp, const Instruction& in, uint32_t lanes) {
  const T now = static_cast<T>(kIsTimer ? nanoseconds() : warp.steps);
  for_lanes(lanes, [&](int l) { warp.at<T>(in.operand[0])[l] = now; });
}

uint32_t bytes_of_type(const std::string& type) {
  if (type.ends_with("64")) return 8;
  return type.ends_with("16") ? 2 : 4;
}

bool decode_pack(Binding& b, uint32_t bytes) {
  const bool is_pack = b.operand(1).kind == ptx::OperandKind::kVector;
  const ptx::Operand &whole = b.operand(is_pack ? 0 : 1), &parts = b.operand(is_pack ? 1 : 0);
  b.in.count = static_cast<uint8_t>(parts.elements.size());
  b.in.width = static_cast<uint8_t>(bytes / b.in.count);
  if (b.in.width < 1 || b.in.width > 4) return false;
  b.in.operand[0] = is_pack ? b.write(whole, bytes) : b.read(whole, bytes);
  for (size_t i = 0; i < parts.elements.size(); ++i) {
    b.in.operand[1 + i] =
        is_pack ? b.read(parts.elements[i], b.in.width) : b.write(parts.elements[i], b.in.width);
  }
  b.in.execute = is_pack ? pack : unpack;
  return true;
}

bool decode_clock(Binding& b) {
  const std::string& name = b.operand(1).name;
  const bool is_timer = name.starts_with("%globaltimer");
  if (!is_timer && !name.starts_with("%clock")) return false;
  const bool is_wide = b.register_bytes(b.operand(0)) == 8;
  b.in.operand[0] = b.write(0, is_wide ? 8 : 4);
  if (is_timer) {
    b.in.execute = is_wide ? read_clock<uint64_t, true> : read_clock<uint32_t, true>;
  } else {
    b.in.execute = is_wide ? read_clock<uint64_t, false> : read_clock<uint32_t, false>;
  }
  return true;
}

bool decode_mov(Binding& b) {
  using ptx::OperandKind;
  if (b.type() == "pred") {
    b.in.operand[0] = b.write_predicate(b.operand(0));
    b.in.operand[1] = b.read_predicate(b.operand(1));
    b.in.execute = move_predicate;
    return true;
  }
  const uint32_t bytes = bytes_of_type(b.type());
  if (b.operand(0).kind == OperandKind::kVector || b.operand(1).kind == OperandKind::kVector) {
    return decode_pack(b, bytes);
  }
  if (b.operand(1).kind == OperandKind::kSpecial && decode_clock(b)) return true;
  bytes == 8 ? bind_map<Identity, uint64_t, uint64_t>(b)
             : bind_map<Identity, uint32_t, uint32_t>(b);
  return true;
}

// cvta{.to}.space.u64
bool decode_cvta(Binding& b) {
  const bool is_from_generic = b.has("to");
  using W = uint64_t;
  if (b.type() != "u64") return false;
  if (b.has("shared")) {
    is_from_generic ? bind_map<Rebase<kSharedWindow, false>, W, W>(b)
                    : bind_map<Rebase<kSharedWindow, true>, W, W>(b);
  } else if (b.has("local")) {
    is_from_generic ? bind_map<Rebase<kLocalWindow, false>, W, W>(b)
                    : bind_map<Rebase<kLocalWindow, true>, W, W>(b);
  } else if (b.has("global") || b.has("const")) {
    bind_map<Identity, W, W>(b);
  } else {
    return false;
  }
  return true;
}

// mode: 0 global, 1 shared, 2 local
void is_in_space(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint64_t* address = warp.at<uint64_t>(in.operand[1]);
  uint32_t result = 0;
  for_lanes(lanes, [&](int l) {
    const bool in_shared = address[l] - kSharedWindow < kWindowBytes;
    const bool in_local = address[l] - kLocalWindow < kWindowBytes;
    const bool hit = in.mode == 0 ? !in_shared && !in_local : in.mode == 1 ? in_shared : in_local;
    result |= static_cast<uint32_t>(hit) << l;
  });
  warp.set_predicate(in.operand[0], lanes, result);
}

bool decode_isspacep(Binding& b) {
  b.in.operand[0] = b.write_predicate(b.operand(0));
  b.in.operand[1] = b.read(1, 8);
  b.in.mode = b.has("global") ? 0 : b.has("shared") ? 1 : 2;
  if (b.has("global") || b.has("shared") || b.has("local")) b.in.execute = is_in_space;
  return true;
}

}  // namespace

bool decode_move(Binding& b) {
  const std::string& op = b.base();
  if (op == "mov") return decode_mov(b);
  if (op == "cvta") return decode_cvta(b);
  if (op == "isspacep") return decode_isspacep(b);
  return false;
}

}  // namespace cudasim
