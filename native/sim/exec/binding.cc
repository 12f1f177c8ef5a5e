#include "exec/binding.h"

#include <bit>
#include <cctype>
#include <sstream>
#include <unordered_map>
#include <vector>

namespace cudasim {
namespace {

// Families that share an opcode differ by type: the first one that knows the type takes it.
const std::unordered_map<std::string, std::vector<FamilyDecoder>>& families() {
  static const auto kFamilies = [] {
    const std::pair<FamilyDecoder, const char*> kOpcodes[] = {
        {decode_move, "mov cvta isspacep"},
        {decode_memory, "ld ldu st"},
        {decode_atomic, "atom red"},
        {decode_warp, "shfl vote match redux activemask bar"},
        {decode_matrix, "mma ldmatrix"},
        {decode_async_copy, "cp"},
        {decode_control,
         "bar barrier trap membar fence nanosleep brkpt prefetch prefetchu discard applypriority "
         "pmevent"},
        {decode_builtin_call, "call"},
        {decode_compare, "setp set selp slct testp"},
        {decode_convert, "cvt"},
        {decode_half, "add sub mul fma min max neg abs ex2 tanh"},
        {decode_float,
         "add sub mul fma mad div rcp sqrt rsqrt min max neg abs copysign ex2 lg2 sin cos tanh"},
        {decode_bits, "and or xor not cnot shl shr shf bfe bfi bfind clz popc brev lop3 prmt bmsk"},
        {decode_integer, "add sub mul mul24 mad mad24 div rem min max neg abs sad dp4a vabsdiff4"},
    };
    std::unordered_map<std::string, std::vector<FamilyDecoder>> table;
    for (const auto& [family, opcodes] : kOpcodes) {
      std::istringstream names(opcodes);
      for (std::string name; names >> name;) table[name].push_back(family);
    }
    return table;
  }();
  return kFamilies;
}

}  // namespace

using ptx::Operand;
using ptx::OperandKind;
using ptx::RegisterClass;

const Operand& Binding::operand(size_t i) const {
  if (i >= statement_.operands.size()) unsupported();
  return statement_.operands[i];
}

void Binding::unsupported() const {
  throw ptx::LoadError(
      "PTX line " + std::to_string(statement_.line) +
      ": unsupported instruction: " + InstructionSource{nullptr, statement_.text}.quoted());
}

uint32_t Binding::register_bytes(const Operand& operand) {
  if (operand.kind != OperandKind::kRegister) return 4;
  return names_.register_class(operand.register_index) == RegisterClass::kDouble ? 8 : 4;
}

bool Binding::is_predicate(const Operand& operand) {
  return operand.kind == OperandKind::kRegister &&
         names_.register_class(operand.register_index) == RegisterClass::kPredicate;
}

uint32_t Binding::read(const Operand& operand, uint32_t bytes) {
  const uint32_t slot_bytes = bytes == 8 ? 8 : 4;
  switch (operand.kind) {
    case OperandKind::kRegister:
      if (is_predicate(operand) || register_bytes(operand) != slot_bytes) unsupported();
      return names_.register_slot(operand.register_index);
    case OperandKind::kSpecial: return names_.special_slot(operand.name, slot_bytes);
    case OperandKind::kInteger: {
      uint64_t bits = static_cast<uint64_t>(operand.value);
      if (bytes < 8) bits &= (uint64_t{1} << (8 * bytes)) - 1;
      return names_.constant_slot(bits, slot_bytes);
    }
    case OperandKind::kFloat: {
      uint64_t bits = static_cast<uint64_t>(operand.value);
      if (operand.bytes == 8 && bytes == 4) {
        bits = std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
      } else if (operand.bytes != bytes) {
        unsupported();
      }
      return names_.constant_slot(bits, slot_bytes);
    }
    case OperandKind::kSymbol:
      return names_.constant_slot(
          names_.symbol(operand.name).value + static_cast<uint64_t>(operand.value), slot_bytes);
    default: unsupported();
  }
}

uint32_t Binding::write(const Operand& operand, uint32_t bytes) {
  if (operand.kind == OperandKind::kSink) return names_.scratch_slot(bytes == 8 ? 8 : 4);
  if (operand.kind != OperandKind::kRegister) unsupported();
  return read(operand, bytes);
}

uint32_t Binding::read_predicate(const Operand& operand, bool* negated) {
  if (operand.negated && !negated) unsupported();
  if (negated) *negated = operand.negated;
  if (operand.kind == OperandKind::kInteger) return operand.value != 0 ? 1 : 0;
  if (!is_predicate(operand)) unsupported();
  return names_.register_slot(operand.register_index);
}

uint32_t Binding::write_predicate(const Operand& operand) {
  if (operand.kind == OperandKind::kSink) return names_.scratch_predicate();
  if (operand.kind != OperandKind::kRegister) unsupported();
  return read_predicate(operand);
}

void Binding::bind_address(const Operand& operand, uint32_t slot) {
  if (operand.kind != OperandKind::kAddress) unsupported();
  in.immediate = operand.value;
  if (operand.has_register) {
    in.wide_address = names_.register_class(operand.register_index) == RegisterClass::kDouble;
    in.operand[slot] = names_.register_slot(operand.register_index);
    return;
  }
  in.wide_address = true;
  in.operand[slot] = names_.constant_slot(0, 8);
  if (!operand.name.empty()) {
    in.immediate += static_cast<int64_t>(names_.symbol(operand.name).value);
  }
}

bool Binding::names_symbol_in(const Operand& operand, Space& space) {
  if (operand.name.empty() || operand.has_register) return false;
  space = names_.symbol(operand.name).space;
  return true;
}

int64_t Binding::integer(size_t i) const {
  if (operand(i).kind != OperandKind::kInteger) unsupported();
  return operand(i).value;
}

void decode_instruction(Binding& b) {
  const auto found = families().find(b.base());
  if (found == families().end()) b.unsupported();
  for (FamilyDecoder family : found->second) {
    if (!family(b)) continue;
    if (!b.in.execute) break;
    return;
  }
  b.unsupported();
}

std::string InstructionSource::quoted() const {
  std::string result;
  for (char c : text) {
    const bool is_blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (is_blank && (result.empty() || result.back() == ' ')) continue;
    result += is_blank ? ' ' : c;
  }
  return result;
}

}  // namespace cudasim
