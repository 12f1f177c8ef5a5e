// What an opcode family sees while it decodes one statement: the opcode's parts, and operands as
// register slots.
#pragma once

#include <cstdint>
#include <string>

#include "exec/program.h"
#include "ptx/module.h"

namespace cudasim {

/** Resolves names of the function being decoded. Implemented by the decoder. */
class NameResolver {
 public:
  virtual ~NameResolver() = default;
  virtual uint32_t register_slot(uint32_t register_index) = 0;
  virtual ptx::RegisterClass register_class(uint32_t register_index) = 0;
  virtual uint32_t constant_slot(uint64_t bits, uint32_t bytes) = 0;
  virtual uint32_t special_slot(const std::string& name, uint32_t bytes) = 0;
  virtual uint32_t scratch_slot(uint32_t bytes) = 0;
  virtual uint32_t scratch_predicate() = 0;

  struct Symbol {
    Space space;
    uint64_t value;  // address, or offset within its space
  };
  virtual Symbol symbol(const std::string& name) = 0;
};

class Binding {
 public:
  Binding(NameResolver& names, const ptx::Statement& statement, Instruction& instruction,
          InstructionSource& source)
      : in(instruction), source(source), names_(names), statement_(statement) {}

  Instruction& in;
  InstructionSource& source;

  const ptx::Statement& statement() const { return statement_; }
  const std::string& base() const { return statement_.opcode[0]; }
  /** The last part of the opcode, normally its type. */
  const std::string& type() const { return statement_.opcode.back(); }
  const std::string& part(size_t i) const { return statement_.opcode.at(i); }
  size_t parts() const { return statement_.opcode.size(); }
  bool has(const char* part) const { return statement_.has(part); }

  size_t operands() const { return statement_.operands.size(); }
  const ptx::Operand& operand(size_t i) const;

  /** Slot of a source of `bytes` (4 also for 1 and 2): register, special register, number or symbol
   * address. */
  uint32_t read(const ptx::Operand& operand, uint32_t bytes);
  uint32_t read(size_t i, uint32_t bytes) { return read(operand(i), bytes); }
  uint32_t write(const ptx::Operand& operand, uint32_t bytes);
  uint32_t write(size_t i, uint32_t bytes) { return write(operand(i), bytes); }
  /** 8 for a 64-bit register, else 4. */
  uint32_t register_bytes(const ptx::Operand& operand);

  bool is_predicate(const ptx::Operand& operand);
  /** Index of a predicate; `negated` must be given where "!p" is allowed. */
  uint32_t read_predicate(const ptx::Operand& operand, bool* negated = nullptr);
  uint32_t write_predicate(const ptx::Operand& operand);

  /** Binds a kAddress to operand slot `slot` of the instruction, with in.immediate and
   * in.wide_address. */
  void bind_address(const ptx::Operand& operand, uint32_t slot);
  /** Space of the symbol that an address names; false when it names none. */
  bool names_symbol_in(const ptx::Operand& operand, Space& space);
  NameResolver::Symbol symbol(const ptx::Operand& operand) { return names_.symbol(operand.name); }

  int64_t integer(size_t i) const;
  [[noreturn]] void unsupported() const;

 private:
  NameResolver& names_;
  const ptx::Statement& statement_;
};

/** Fills in the instruction. @throws ptx::LoadError when no family knows it. */
void decode_instruction(Binding& b);

/**
 * An opcode family: false when the opcode is not one of its own. A known opcode with an unknown
 * variant leaves Instruction::execute null, which the decoder turns into a load error.
 */
using FamilyDecoder = bool (*)(Binding&);

bool decode_integer(Binding& b);
bool decode_bits(Binding& b);
bool decode_float(Binding& b);
bool decode_half(Binding& b);
bool decode_compare(Binding& b);
bool decode_convert(Binding& b);
bool decode_move(Binding& b);
bool decode_memory(Binding& b);
bool decode_atomic(Binding& b);
bool decode_warp(Binding& b);
bool decode_matrix(Binding& b);
bool decode_async_copy(Binding& b);
bool decode_control(Binding& b);
bool decode_builtin_call(Binding& b);

}  // namespace cudasim
