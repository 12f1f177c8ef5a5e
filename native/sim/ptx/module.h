// What the parser makes of a PTX module: functions as flat statement lists, variables, source
// files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cudasim::ptx {

/** A PTX text that cannot be loaded; the message names the line. */
class LoadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class StateSpace : uint8_t { kNone, kParam, kGlobal, kConst, kShared, kLocal };

/** Registers live in 1-bit (predicate), 4-byte or 8-byte slots; 8- and 16-bit types use 4-byte
 * slots. */
enum class RegisterClass : uint8_t { kPredicate, kWord, kDouble };

enum class OperandKind : uint8_t {
  kRegister,
  kSpecial,
  kInteger,
  kFloat,
  kSymbol,
  kAddress,
  kVector,
  kSink
};

struct Operand {
  OperandKind kind = OperandKind::kSink;
  bool negated = false;         // "!%p1"
  uint32_t register_index = 0;  // kRegister, or the base of a kAddress
  bool has_register = false;    // kAddress only: base is a register, not a symbol
  int64_t value = 0;            // kInteger: value; kFloat: bits; kSymbol and kAddress: byte offset
  uint32_t bytes = 0;           // kFloat: 4 or 8
  std::string name;             // kSpecial, kSymbol, or the symbol base of a kAddress
  std::vector<Operand> elements;  // kVector; for "d|p" the second destination
};

/** Index into Module::locations. */
using LocationIndex = uint32_t;

struct Statement {
  std::vector<std::string> opcode;  // split at the dots
  std::vector<Operand> operands;
  int32_t guard = -1;  // predicate register
  bool guard_negated = false;
  LocationIndex location = 0;
  uint32_t line = 0;
  std::string_view text;  // as written, of Module::text

  bool has(const char* part) const;
};

struct Variable {
  std::string name;
  StateSpace space = StateSpace::kNone;
  uint32_t alignment = 1;
  uint64_t bytes = 0;
  uint32_t element_bytes = 1;
  bool is_extern = false;
  std::vector<uint8_t> initial;  // empty: zero
  struct SymbolInitializer {
    uint64_t offset;
    std::string name;
    int64_t addend;
  };
  std::vector<SymbolInitializer> symbols;
};

struct Location {
  uint32_t file = 0, line = 0, column = 0;
  LocationIndex caller = 0;  // where this was inlined, or 0
};

struct Function {
  std::string name;
  bool is_entry = false;
  bool has_body = false;
  std::vector<Variable> parameters, returns;
  std::vector<Variable> variables;  // .shared, .local and .param declared in the body
  std::vector<RegisterClass> registers;
  std::vector<Statement> statements;
  std::map<std::string, uint32_t> labels;  // -> statement index
  std::map<std::string, std::vector<std::string>> branch_tables;
  uint32_t max_threads = 1024;
};

struct Module {
  std::shared_ptr<const std::string> text;
  std::map<std::string, std::shared_ptr<Function>> functions;
  std::vector<Variable> variables;
  std::map<uint32_t, std::string> files;
  std::vector<Location> locations{Location{}};
};

/** @throws LoadError naming the line of the first statement that is not understood. */
Module parse_module(std::string text);

}  // namespace cudasim::ptx
