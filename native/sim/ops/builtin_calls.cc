// The functions that device code calls without a body: assert and printf.

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "device_memory.h"
#include "exec/access.h"
#include "exec/block.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

// A call's arguments are variables in local memory; their offsets are in the operands.
template <typename T>
T argument(Warp& warp, const Instruction& in, int lane, int index) {
  T value;
  std::memcpy(&value,
              warp.local + static_cast<size_t>(lane) * warp.block->program().local_bytes +
                  in.operand[index],
              sizeof value);
  return value;
}

std::string device_string(uint64_t address) {
  const DeviceMemory& memory = DeviceMemory::instance();
  const Allocation allocation = memory.find(address);
  if (allocation.bytes == 0) return "?";
  const char* text = reinterpret_cast<const char*>(memory.bytes_at(address));
  return std::string(text, strnlen(text, allocation.address + allocation.bytes - address));
}

// __assertfail(message, file, line, function, character size)
void assert_fail(Warp& warp, const Instruction& in, uint32_t lanes) {
  const int lane = std::countr_zero(lanes);
  const std::string message = device_string(argument<uint64_t>(warp, in, lane, 0));
  const std::string file = device_string(argument<uint64_t>(warp, in, lane, 1));
  warp.block->abort(warp, in, lane, Finding::kAssert,
                    "assertion failed: " + message + ", " + file + ":" +
                        std::to_string(argument<uint32_t>(warp, in, lane, 2)),
                    Fault::kAssert);
}

// Reads the packed arguments of vprintf from the local memory of one lane.
class PrintfArguments {
 public:
  PrintfArguments(const uint8_t* begin, size_t bytes) : begin_(begin), bytes_(bytes) {}

  template <typename T>
  T next() {
    T value{};
    at_ = (at_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    if (at_ + sizeof(T) <= bytes_) std::memcpy(&value, begin_ + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

 private:
  const uint8_t* begin_;
  size_t bytes_, at_ = 0;
};

template <typename T>
void append_formatted(std::string& out, const std::string& specification, T value) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, specification.c_str(), value);
  out += buffer;
}

void append_conversion(std::string& out, const std::string& specification,
                       PrintfArguments& arguments) {
  const char conversion = specification.back();
  const bool is_long =
      specification.find('l') != std::string::npos || specification.find('z') != std::string::npos;
  if (std::strchr("diuxXoc", conversion)) {
    if (is_long) {
      append_formatted(out, specification, arguments.next<long long>());
    } else {
      append_formatted(out, specification, arguments.next<int>());
    }
  } else if (std::strchr("fFeEgGaA", conversion)) {
    append_formatted(out, specification, arguments.next<double>());
  } else if (conversion == 'p') {
    append_formatted(out, specification, reinterpret_cast<void*>(arguments.next<uint64_t>()));
  } else if (conversion == 's') {
    append_formatted(out, specification, device_string(arguments.next<uint64_t>()).c_str());
  } else {
    out += specification;
  }
}

std::string format(const std::string& text, PrintfArguments arguments) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '%') {
      out += '%';
      ++i;
    } else {
      const size_t end = text.find_first_of("diuxXocfFeEgGaAps", i);
      if (end == std::string::npos) break;
      append_conversion(out, text.substr(i, end - i + 1), arguments);
      i = end;
    }
  }
  return out;
}

// vprintf(format, arguments); returns 0 through operand 2
void print(Warp& warp, const Instruction& in, uint32_t lanes) {
  const size_t local_bytes = warp.block->program().local_bytes;
  for_lanes(lanes, [&](int lane) {
    const uint8_t* local = warp.local + static_cast<size_t>(lane) * local_bytes;
    const uint64_t buffer = argument<uint64_t>(warp, in, lane, 1) - kLocalWindow;
    const PrintfArguments arguments(buffer < local_bytes ? local + buffer : local,
                                    buffer < local_bytes ? local_bytes - buffer : 0);
    std::fputs(format(device_string(argument<uint64_t>(warp, in, lane, 0)), arguments).c_str(),
               stdout);
    std::memset(warp.local + static_cast<size_t>(lane) * local_bytes + in.operand[2], 0,
                sizeof(int32_t));
  });
  std::fflush(stdout);
}

bool bind_arguments(Binding& b, const ptx::Operand& list, size_t count) {
  if (list.elements.size() != count) return false;
  for (size_t i = 0; i < count; ++i) {
    b.in.operand[i] = static_cast<uint32_t>(b.symbol(list.elements[i]).value);
  }
  return true;
}

}  // namespace

bool decode_builtin_call(Binding& b) {
  if (b.base() != "call") return false;
  if (b.operand(0).name == "__assertfail") {
    if (bind_arguments(b, b.operand(1), 5)) b.in.execute = assert_fail;
  } else if (b.operands() == 3 && b.operand(1).name == "vprintf") {
    if (bind_arguments(b, b.operand(2), 2)) b.in.execute = print;
    b.in.operand[2] = static_cast<uint32_t>(b.symbol(b.operand(0).elements.at(0)).value);
  }
  return true;
}

}  // namespace cudasim
