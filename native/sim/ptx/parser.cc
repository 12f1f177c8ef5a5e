#include <algorithm>
#include <cstring>
#include <tuple>

#include "ptx/lexer.h"
#include "ptx/module.h"
#include "ptx/parser_state.h"

namespace cudasim::ptx {

bool Statement::has(const char* part) const {
  return std::find(opcode.begin() + 1, opcode.end(), part) != opcode.end();
}

namespace {

StateSpace space_named(std::string_view directive) {
  if (directive == ".param") return StateSpace::kParam;
  if (directive == ".global") return StateSpace::kGlobal;
  if (directive == ".const") return StateSpace::kConst;
  if (directive == ".shared") return StateSpace::kShared;
  if (directive == ".local") return StateSpace::kLocal;
  return StateSpace::kNone;
}

class ModuleParser : public TokenCursor {
 public:
  explicit ModuleParser(std::shared_ptr<const std::string> text) : TokenCursor(*text) {
    module_.text = std::move(text);
  }

  Module run() {
    while (!at_end()) parse_top_level();
    return std::move(module_);
  }

 private:
  void parse_top_level() {
    const Token token = next();
    if (token.text == ".version" || token.text == ".target" || token.text == ".address_size") {
      skip_line(token.line);
    } else if (token.text == ".file") {
      parse_file(token.line);
    } else if (token.text == ".section") {
      while (!peek_is("{")) next();
      skip_braces();
    } else if (token.text == ".entry" || token.text == ".func") {
      parse_function(token.text == ".entry");
    } else if (token.text == ".extern") {
      is_extern_ = true;
      return;
    } else if (token.text == ".visible" || token.text == ".weak" || token.text == ".common") {
      return;
    } else if (const StateSpace space = space_named(token.text); space != StateSpace::kNone) {
      parse_variables(space, module_.variables);
    } else if (token.text == ".pragma" || token.text == ".alias") {
      skip_past(";");
    } else if (token.text != ";") {
      fail(token, "unknown module-level directive");
    }
    is_extern_ = false;
  }

  void parse_file(uint32_t line) {
    const uint32_t index = static_cast<uint32_t>(number(next()));
    module_.files[index] = std::string(next().text);
    skip_line(line);
  }

  // .loc file line column [, function_name label, inlined_at file line column]
  void parse_location(uint32_t line) {
    Location location = parse_position();
    while (!at_end() && peek().line == line) {
      if (next().text != "inlined_at") continue;
      const Location caller = parse_position();
      // The call site has had a .loc of its own, which says where that was inlined.
      LocationIndex& known = sites_[{caller.file, caller.line, caller.column}];
      if (known == 0) {
        module_.locations.push_back(caller);
        known = static_cast<LocationIndex>(module_.locations.size() - 1);
      }
      location.caller = known;
    }
    module_.locations.push_back(location);
    location_ = static_cast<LocationIndex>(module_.locations.size() - 1);
    sites_[{location.file, location.line, location.column}] = location_;
  }

  Location parse_position() {
    Location location;
    location.file = static_cast<uint32_t>(number(next()));
    location.line = static_cast<uint32_t>(number(next()));
    location.column = static_cast<uint32_t>(number(next()));
    return location;
  }

  // <space> [.align n] .type name[dims] [= initialiser] {, ...} ;
  void parse_variables(StateSpace space, std::vector<Variable>& out) {
    Variable shape = parse_variable_type(space);
    for (;;) {
      Variable variable = shape;
      parse_variable_name(variable);
      if (accept("=")) parse_initializer(variable);
      out.push_back(std::move(variable));
      if (accept(";")) return;
      expect(",");
    }
  }

  Variable parse_variable_type(StateSpace space) {
    Variable variable;
    variable.space = space;
    variable.is_extern = is_extern_;
    variable.alignment = 0;
    for (;;) {
      const Token token = next();
      if (token.text == ".align") {
        variable.alignment = static_cast<uint32_t>(number(next()));
      } else if (token.text == ".ptr" || space_named(token.text) != StateSpace::kNone ||
                 token.text == ".attribute") {
        if (token.text == ".attribute") skip_past(")");
      } else if (token.text == ".v2" || token.text == ".v4") {
        variable.bytes = static_cast<uint64_t>(token.text[2] - '0');
      } else {
        variable.element_bytes = type_bytes(token);
        variable.bytes = variable.element_bytes * std::max<uint64_t>(variable.bytes, 1);
        break;
      }
    }
    while (peek_is(".ptr") || peek_is(".align") || space_named(peek().text) != StateSpace::kNone) {
      if (next().text == ".align") next();
    }
    if (variable.alignment == 0) variable.alignment = variable.element_bytes;
    return variable;
  }

  void parse_variable_name(Variable& variable) {
    variable.name = std::string(next().text);
    while (accept("[")) {
      const uint64_t count = peek_is("]") ? 0 : static_cast<uint64_t>(number(next()));
      variable.bytes *= count;
      expect("]");
    }
  }

  void parse_initializer(Variable& variable) {
    if (!peek_is("{") && variable.bytes == 0) variable.bytes = variable.element_bytes;
    uint64_t offset = 0;
    parse_initializer_item(variable, offset);
    if (variable.bytes == 0) variable.bytes = offset;
    variable.initial.resize(variable.bytes);
  }

  void parse_initializer_item(Variable& variable, uint64_t& offset) {
    if (accept("{")) {
      while (!accept("}")) {
        parse_initializer_item(variable, offset);
        accept(",");
      }
      return;
    }
    const Operand item = parse_constant();
    const uint64_t end = offset + variable.element_bytes;
    if (variable.initial.size() < end) variable.initial.resize(end);
    if (item.kind == OperandKind::kSymbol) {
      variable.symbols.push_back({offset, item.name, item.value});
    } else {
      std::memcpy(variable.initial.data() + offset, &item.value, variable.element_bytes);
    }
    offset = end;
  }

  // number | symbol | generic(symbol) [+ offset]
  Operand parse_constant() {
    Operand operand;
    if (peek_is("generic")) {
      next();
      expect("(");
      operand = parse_constant();
      expect(")");
    } else {
      operand = parse_simple_operand(nullptr);
    }
    if (operand.kind == OperandKind::kSymbol && accept("+")) operand.value += number(next());
    return operand;
  }

  void parse_function(bool is_entry) {
    auto function = std::make_shared<Function>();
    function->is_entry = is_entry;
    if (peek_is("(")) parse_parameters(function->returns);
    function->name = std::string(next().text);
    if (peek_is("(")) parse_parameters(function->parameters);
    while (!peek_is("{") && !peek_is(";")) parse_performance_directive(*function);
    if (accept(";")) {
      module_.functions.try_emplace(function->name, function);
      return;
    }
    function->has_body = true;
    FunctionScope scope(*function);
    expect("{");
    location_ = 0;
    parse_block(scope);
    module_.functions[function->name] = function;
  }

  void parse_performance_directive(Function& function) {
    const Token token = next();
    if (token.text == ".maxntid" || token.text == ".reqntid") {
      uint32_t threads = static_cast<uint32_t>(number(next()));
      while (accept(",")) threads *= static_cast<uint32_t>(number(next()));
      function.max_threads = threads;
    }
  }

  void parse_parameters(std::vector<Variable>& out) {
    expect("(");
    while (!accept(")")) {
      expect(".param");
      Variable variable = parse_variable_type(StateSpace::kParam);
      parse_variable_name(variable);
      out.push_back(std::move(variable));
      accept(",");
    }
  }

  void parse_block(FunctionScope& scope) {
    scope.enter();
    while (!accept("}")) {
      if (at_end()) fail(peek(), "the text ends inside a function");
      if (accept("{")) {
        parse_block(scope);
      } else {
        parse_body_item(scope);
      }
    }
    scope.leave();
  }

  void parse_body_item(FunctionScope& scope) {
    const Token token = peek();
    if (token.text == ".loc") {
      next();
      parse_location(token.line);
    } else if (token.text == ".reg") {
      next();
      parse_registers(scope);
    } else if (const StateSpace space = space_named(token.text); space != StateSpace::kNone) {
      next();
      const size_t first = scope.function().variables.size();
      parse_variables(space, scope.function().variables);
      scope.declare_variables(first);
    } else if (token.text == ".pragma" || token.text == ".callprototype") {
      skip_past(";");
    } else if (token.text == ";") {
      next();
    } else if (peek(1).text == ":") {
      next();
      next();
      if (peek_is(".branchtargets")) {
        parse_branch_targets(scope, std::string(token.text));
      } else {
        scope.define_label(token.text);
      }
    } else {
      parse_statement(scope);
    }
  }

  void parse_branch_targets(FunctionScope& scope, const std::string& table) {
    next();
    std::vector<std::string>& targets = scope.function().branch_tables[table];
    do {
      targets.emplace_back(next().text);
    } while (accept(","));
    expect(";");
  }

  void parse_registers(FunctionScope& scope) {
    const Token type = next();
    RegisterClass register_class = RegisterClass::kWord;
    if (type.text == ".pred") {
      register_class = RegisterClass::kPredicate;
    } else if (type_bytes(type) == 8) {
      register_class = RegisterClass::kDouble;
    }
    do {
      const std::string name(next().text);
      uint32_t count = 0;
      if (accept("<")) {
        count = static_cast<uint32_t>(number(next()));
        expect(">");
      }
      scope.declare_register(name, count, register_class);
    } while (accept(","));
    expect(";");
  }

  void parse_statement(FunctionScope& scope) {
    Statement statement;
    const Token first = peek();
    statement.line = first.line;
    statement.location = location_;
    if (accept("@")) {
      statement.guard_negated = accept("!");
      statement.guard = static_cast<int32_t>(require_register(scope, next()));
    }
    split_opcode(next().text, statement.opcode);
    while (!peek_is(";")) {
      statement.operands.push_back(parse_operand(scope));
      accept(",");
    }
    statement.text = quote(first, peek());
    expect(";");
    const bool is_branch = statement.opcode[0] == "bra";
    scope.function().statements.push_back(std::move(statement));
    if (is_branch) scope.note_branch();
  }

  Module module_;
  bool is_extern_ = false;
  LocationIndex location_ = 0;
  std::map<std::tuple<uint32_t, uint32_t, uint32_t>, LocationIndex> sites_;
};

}  // namespace

Module parse_module(std::string text) {
  return ModuleParser(std::make_shared<const std::string>(std::move(text))).run();
}

}  // namespace cudasim::ptx
