#include "ptx/parser_state.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace cudasim::ptx {

void FunctionScope::enter() {
  blocks_.emplace_back();
  blocks_.back().id = next_block_++;
}

uint32_t FunctionScope::new_register(RegisterClass register_class) {
  function_.registers.push_back(register_class);
  return static_cast<uint32_t>(function_.registers.size() - 1);
}

void FunctionScope::declare_register(const std::string& name, uint32_t count,
                                     RegisterClass register_class) {
  if (count == 0) {
    blocks_.back().registers[name] = new_register(register_class);
  } else {
    blocks_.back().ranges[name] = {count, register_class};
  }
}

std::optional<uint32_t> FunctionScope::find_register(std::string_view name) {
  size_t digits = name.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
  const std::string_view prefix = name.substr(0, digits);
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    if (auto found = block->registers.find(name); found != block->registers.end()) {
      return found->second;
    }
    if (digits == name.size()) continue;
    auto range = block->ranges.find(prefix);
    if (range == block->ranges.end()) continue;
    if (std::strtoul(std::string(name.substr(digits)).c_str(), nullptr, 10) >=
        range->second.count) {
      continue;
    }
    const uint32_t index = new_register(range->second.register_class);
    block->registers.emplace(name, index);
    return index;
  }
  return std::nullopt;
}

void FunctionScope::declare_variables(size_t first) {
  for (size_t i = first; i < function_.variables.size(); ++i) {
    Variable& variable = function_.variables[i];
    const std::string plain = variable.name;
    if (blocks_.size() > 1) variable.name += "@" + std::to_string(blocks_.back().id);
    blocks_.back().variables[plain] = variable.name;
  }
}

std::string FunctionScope::variable_name(std::string_view name) const {
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    auto found = block->variables.find(name);
    if (found != block->variables.end()) return found->second;
  }
  return std::string(name);
}

void FunctionScope::define_label(std::string_view name) {
  const std::string plain(name);
  std::string unique = plain;
  if (blocks_.size() > 1) unique += "@" + std::to_string(blocks_.back().id);
  blocks_.back().labels[plain] = unique;
  function_.labels[unique] = static_cast<uint32_t>(function_.statements.size());
}

void FunctionScope::note_branch() {
  blocks_.back().branches.push_back(function_.statements.size() - 1);
}

void FunctionScope::leave() {
  Block block = std::move(blocks_.back());
  blocks_.pop_back();
  for (size_t index : block.branches) {
    std::string& target = function_.statements[index].operands.at(0).name;
    if (auto label = block.labels.find(target); label != block.labels.end()) {
      target = label->second;
    } else if (!blocks_.empty()) {
      blocks_.back().branches.push_back(index);
    }
  }
}

const Token& TokenCursor::peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

Token TokenCursor::next() {
  const Token token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenCursor::accept(std::string_view text) {
  if (peek().kind == TokenKind::kString || peek().text != text) return false;
  next();
  return true;
}

void TokenCursor::expect(std::string_view text) {
  if (!accept(text)) fail(peek(), "expected '" + std::string(text) + "'");
}

void TokenCursor::skip_line(uint32_t line) {
  while (!at_end() && peek().line == line) next();
}

void TokenCursor::skip_past(std::string_view text) {
  while (!at_end() && !accept(text)) next();
}

void TokenCursor::skip_braces() {
  expect("{");
  for (int depth = 1; depth > 0 && !at_end();) {
    if (accept("{")) {
      ++depth;
    } else if (accept("}")) {
      --depth;
    } else {
      next();
    }
  }
}

std::string_view TokenCursor::quote(const Token& first, const Token& end) const {
  return std::string_view(text_).substr(first.offset, end.offset - first.offset);
}

void TokenCursor::fail(const Token& token, const std::string& what) {
  throw LoadError("PTX line " + std::to_string(token.line) + ": " + what + " at '" +
                  std::string(token.text) + "'");
}

int64_t TokenCursor::number(const Token& token) {
  std::string text(token.text);
  if (!text.empty() && (text.back() == 'U' || text.back() == 'u')) text.pop_back();
  char* end = nullptr;
  const int64_t value = static_cast<int64_t>(std::strtoull(text.c_str(), &end, 0));
  if (end == text.c_str() || *end != '\0') fail(token, "expected a number");
  return value;
}

uint32_t TokenCursor::type_bytes(const Token& token) {
  static const std::map<std::string_view, uint32_t> kTypes{
      {".b8", 1},    {".u8", 1},     {".s8", 1},  {".b16", 2}, {".u16", 2}, {".s16", 2},
      {".f16", 2},   {".bf16", 2},   {".b32", 4}, {".u32", 4}, {".s32", 4}, {".f32", 4},
      {".f16x2", 4}, {".bf16x2", 4}, {".b64", 8}, {".u64", 8}, {".s64", 8}, {".f64", 8}};
  const auto found = kTypes.find(token.text);
  if (found == kTypes.end()) fail(token, "unknown type");
  return found->second;
}

void TokenCursor::split_opcode(std::string_view text, std::vector<std::string>& parts) {
  size_t begin = 0;
  for (size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', begin)) {
    parts.emplace_back(text.substr(begin, dot - begin));
    begin = dot + 1;
  }
  parts.emplace_back(text.substr(begin));
}

uint32_t TokenCursor::require_register(FunctionScope& scope, const Token& token) {
  const std::optional<uint32_t> index = scope.find_register(token.text);
  if (!index) fail(token, "unknown register");
  return *index;
}

Operand TokenCursor::parse_simple_operand(FunctionScope* scope) {
  Operand operand;
  operand.negated = accept("!");
  const bool minus = accept("-");
  const Token token = next();
  const std::string_view text = token.text;
  if (token.kind != TokenKind::kWord) fail(token, "expected an operand");
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'f' || text[1] == 'F')) {
    operand.kind = OperandKind::kFloat;
    operand.bytes = 4;
    operand.value =
        static_cast<int64_t>(std::strtoull(std::string(text.substr(2)).c_str(), nullptr, 16));
  } else if (text.size() > 2 && text[0] == '0' && (text[1] == 'd' || text[1] == 'D')) {
    operand.kind = OperandKind::kFloat;
    operand.bytes = 8;
    operand.value =
        static_cast<int64_t>(std::strtoull(std::string(text.substr(2)).c_str(), nullptr, 16));
  } else if (std::isdigit(static_cast<unsigned char>(text[0]))) {
    operand.kind = OperandKind::kInteger;
    operand.value = minus ? -number(token) : number(token);
  } else if (text == "_") {
    operand.kind = OperandKind::kSink;
  } else if (const auto index = scope ? scope->find_register(text) : std::nullopt) {
    operand.kind = OperandKind::kRegister;
    operand.register_index = *index;
  } else if (text[0] == '%') {
    operand.kind = OperandKind::kSpecial;
    operand.name = std::string(text);
  } else {
    operand.kind = OperandKind::kSymbol;
    operand.name = scope ? scope->variable_name(text) : std::string(text);
  }
  return operand;
}

Operand TokenCursor::parse_operand(FunctionScope& scope) {
  if (accept("{")) return parse_list(scope, "}");
  if (accept("(")) return parse_list(scope, ")");
  if (accept("[")) return parse_address(scope);
  Operand operand = parse_simple_operand(&scope);
  if (operand.kind == OperandKind::kSymbol && accept("+")) operand.value = number(next());
  if (accept("|")) operand.elements.push_back(parse_simple_operand(&scope));
  return operand;
}

Operand TokenCursor::parse_list(FunctionScope& scope, std::string_view close) {
  Operand list;
  list.kind = OperandKind::kVector;
  while (!accept(close)) {
    list.elements.push_back(parse_simple_operand(&scope));
    accept(",");
  }
  return list;
}

Operand TokenCursor::parse_address(FunctionScope& scope) {
  Operand address = parse_simple_operand(&scope);
  address.has_register = address.kind == OperandKind::kRegister;
  if (address.kind != OperandKind::kRegister && address.kind != OperandKind::kSymbol &&
      address.kind != OperandKind::kInteger) {
    fail(peek(), "unsupported address");
  }
  address.kind = OperandKind::kAddress;
  if (accept("+")) {
    const bool minus = accept("-");
    const int64_t offset = number(next());
    address.value += minus ? -offset : offset;
  } else if (accept("-")) {
    address.value -= number(next());
  }
  expect("]");
  return address;
}

}  // namespace cudasim::ptx
