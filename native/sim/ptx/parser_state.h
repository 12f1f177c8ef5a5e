// The two halves of the parser's state: a cursor over tokens, and the names visible inside a
// function.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ptx/lexer.h"
#include "ptx/module.h"

namespace cudasim::ptx {

/** Registers, variables and labels by name. PTX blocks nest and inner names hide outer ones. */
class FunctionScope {
 public:
  explicit FunctionScope(Function& function) : function_(function) {}

  Function& function() { return function_; }
  void enter();
  void leave();

  /** `count` 0 declares `name` itself, otherwise the registers name0 .. name(count-1). */
  void declare_register(const std::string& name, uint32_t count, RegisterClass register_class);
  std::optional<uint32_t> find_register(std::string_view name);

  /** Makes the names of Function::variables from `first` on unique per block and visible. */
  void declare_variables(size_t first);
  std::string variable_name(std::string_view name) const;

  void define_label(std::string_view name);
  /** The last statement is a branch: its label is bound when the block that defines it closes. */
  void note_branch();

 private:
  struct Block {
    struct Range {
      uint32_t count;
      RegisterClass register_class;
    };
    uint32_t id = 0;
    std::map<std::string, uint32_t, std::less<>> registers;
    std::map<std::string, Range, std::less<>> ranges;
    std::map<std::string, std::string, std::less<>> variables;
    std::map<std::string, std::string, std::less<>> labels;
    std::vector<size_t> branches;  // statement indices
  };

  uint32_t new_register(RegisterClass register_class);

  Function& function_;
  std::vector<Block> blocks_;
  uint32_t next_block_ = 0;
};

/** Token access plus the operand grammar, which needs no module state. */
class TokenCursor {
 public:
  explicit TokenCursor(const std::string& text) : text_(text), tokens_(tokenize(text)) {}

 protected:
  const Token& peek(size_t ahead = 0) const;
  bool peek_is(std::string_view text) const { return peek().text == text; }
  Token next();
  bool accept(std::string_view text);
  void expect(std::string_view text);
  bool at_end() const { return peek().kind == TokenKind::kEnd; }
  void skip_line(uint32_t line);
  void skip_past(std::string_view text);
  void skip_braces();
  std::string_view quote(const Token& first, const Token& end) const;

  static int64_t number(const Token& token);
  static uint32_t type_bytes(const Token& token);
  static void split_opcode(std::string_view text, std::vector<std::string>& parts);
  [[noreturn]] static void fail(const Token& token, const std::string& what);

  static uint32_t require_register(FunctionScope& scope, const Token& token);
  Operand parse_operand(FunctionScope& scope);
  /** A register, special register, number or symbol; `scope` may be null at module level. */
  Operand parse_simple_operand(FunctionScope* scope);

 private:
  Operand parse_list(FunctionScope& scope, std::string_view close);
  Operand parse_address(FunctionScope& scope);

  const std::string& text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace cudasim::ptx
