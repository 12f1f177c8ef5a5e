#include "exec/decoder.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "exec/binding.h"
#include "exec/warp.h"

namespace cudasim {
namespace {

using ptx::Function;
using ptx::LoadError;
using ptx::Operand;
using ptx::RegisterClass;
using ptx::Statement;
using ptx::StateSpace;
using ptx::Variable;

constexpr uint32_t kUnassigned = ~0u;

uint64_t align_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

std::string base_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

// One use of a function's body: the kernel itself, or a call that is expanded in place.
struct Frame {
  const Function& function;
  std::vector<uint32_t> slots;                    // per register
  std::map<std::string, uint32_t> local_offsets;  // .local and .param variables, formal parameters
  std::vector<std::pair<uint32_t, uint32_t>> branches;  // pc, statement index it jumps to
  std::vector<std::pair<size_t, uint32_t>>
      table_entries;  // index into branch_targets, statement index
};

class KernelDecoder : public NameResolver {
 public:
  KernelDecoder(const ptx::Module& module, const Function& kernel, const SymbolTable& symbols)
      : module_(module),
        kernel_(kernel),
        symbols_(symbols),
        program_(std::make_shared<Program>()) {}

  std::shared_ptr<const Program> run() {
    program_->name = kernel_.name;
    program_->ptx = module_.text;
    program_->max_threads = kernel_.max_threads;
    program_->predicate_count = 2;
    lay_out_parameters();
    lay_out_shared();
    Frame frame{kernel_, {}, {}, {}, {}};
    decode_function(frame);
    emit_exit();
    lay_out_registers();
    return program_;
  }

  uint32_t register_slot(uint32_t index) override {
    uint32_t& slot = frame_->slots[index];
    if (slot == kUnassigned) {
      switch (register_class(index)) {
        case RegisterClass::kPredicate: slot = program_->predicate_count++; break;
        case RegisterClass::kWord: slot = new_slot(4); break;
        case RegisterClass::kDouble: slot = new_slot(8); break;
      }
    }
    return slot;
  }

  RegisterClass register_class(uint32_t index) override {
    return frame_->function.registers[index];
  }

  uint32_t constant_slot(uint64_t bits, uint32_t bytes) override {
    auto [entry, is_new] = constants_.try_emplace({bits, bytes}, 0);
    if (is_new) entry->second = new_slot(bytes);
    return entry->second;
  }

  uint32_t special_slot(const std::string& name, uint32_t bytes) override {
    const std::optional<SpecialRegister> special = special_register_named(name);
    if (!special) {
      throw LoadError("PTX line " + std::to_string(line_) + ": unsupported special register " +
                      name);
    }
    auto [entry, is_new] = specials_.try_emplace({*special, bytes}, 0);
    if (is_new) {
      entry->second = new_slot(bytes);
      program_->specials.push_back({*special, entry->second, static_cast<uint8_t>(bytes)});
    }
    return entry->second;
  }

  uint32_t scratch_slot(uint32_t bytes) override { return new_slot(bytes); }
  uint32_t scratch_predicate() override { return program_->predicate_count++; }

  Symbol symbol(const std::string& name) override {
    if (auto local = frame_->local_offsets.find(name); local != frame_->local_offsets.end()) {
      return {Space::kLocal, local->second};
    }
    if (auto parameter = parameters_.find(name); parameter != parameters_.end()) {
      return {Space::kParam, parameter->second};
    }
    for (const std::string& key : {frame_->function.name + ":" + name, name}) {
      if (auto shared = shared_.find(key); shared != shared_.end()) {
        return {Space::kShared, shared->second};
      }
    }
    if (auto global = symbols_.find(name); global != symbols_.end()) {
      return {Space::kGlobal, global->second};
    }
    throw LoadError("PTX line " + std::to_string(line_) + ": unknown symbol " + name);
  }

 private:
  uint32_t new_slot(uint32_t bytes) {
    const uint32_t slot = static_cast<uint32_t>(align_up(program_->register_bytes, 64));
    program_->register_bytes = slot + bytes * kLanes;
    return slot;
  }

  void lay_out_parameters() {
    uint64_t at = 0;
    for (const Variable& parameter : kernel_.parameters) {
      at = align_up(at, parameter.alignment);
      parameters_[parameter.name] = static_cast<uint32_t>(at);
      program_->parameters.push_back(
          {static_cast<uint32_t>(at), static_cast<uint32_t>(parameter.bytes)});
      at += parameter.bytes;
    }
    program_->parameter_bytes = static_cast<uint32_t>(at);
  }

  // Static variables of the kernel and of everything it calls first; all extern arrays start behind
  // them.
  void lay_out_shared() {
    std::set<const Function*> seen;
    std::set<std::string> used;
    collect_reachable(kernel_, seen, used);
    uint64_t at = 0, dynamic_alignment = 16;
    const auto place = [&](const std::string& key, const Variable& variable) {
      at = align_up(at, variable.alignment);
      shared_[key] = static_cast<uint32_t>(at);
      at += variable.bytes;
    };
    for (const Function* function : seen) {
      for (const Variable& variable : function->variables) {
        if (variable.space == StateSpace::kShared)
          place(function->name + ":" + variable.name, variable);
      }
    }
    std::vector<std::string> dynamic;
    for (const Variable& variable : module_.variables) {
      if (variable.space != StateSpace::kShared || !used.contains(variable.name)) continue;
      if (variable.is_extern || variable.bytes == 0) {
        dynamic.push_back(variable.name);
        dynamic_alignment = std::max<uint64_t>(dynamic_alignment, variable.alignment);
      } else {
        place(variable.name, variable);
      }
    }
    if (at > 0) at = align_up(at, dynamic_alignment);
    program_->static_shared_bytes = static_cast<uint32_t>(at);
    for (const std::string& name : dynamic) shared_[name] = program_->static_shared_bytes;
  }

  void collect_reachable(const Function& function, std::set<const Function*>& seen,
                         std::set<std::string>& used) {
    if (!seen.insert(&function).second) return;
    for (const Statement& statement : function.statements) {
      for (const Operand& operand : statement.operands) {
        if (operand.name.empty()) continue;
        used.insert(operand.name);
        const auto callee = module_.functions.find(operand.name);
        if (statement.opcode[0] == "call" && callee != module_.functions.end()) {
          collect_reachable(*callee->second, seen, used);
        }
      }
    }
  }

  uint32_t new_local(const Variable& variable) {
    const uint64_t at = align_up(program_->local_bytes, std::max<uint64_t>(variable.alignment, 1));
    program_->local_bytes = static_cast<uint32_t>(at + variable.bytes);
    return static_cast<uint32_t>(at);
  }

  void decode_function(Frame& frame) {
    const Function& function = frame.function;
    Frame* outer = std::exchange(frame_, &frame);
    frame.slots.assign(function.registers.size(), kUnassigned);
    for (const Variable& variable : function.variables) {
      if (variable.space == StateSpace::kShared) continue;
      frame.local_offsets[variable.name] = new_local(variable);
    }
    std::vector<uint32_t> pcs;
    for (const Statement& statement : function.statements) {
      pcs.push_back(static_cast<uint32_t>(program_->code.size()));
      line_ = statement.line;
      decode_statement(frame, statement, outer != nullptr);
    }
    pcs.push_back(static_cast<uint32_t>(program_->code.size()));
    for (auto [pc, index] : frame.branches) program_->code[pc].target = pcs[index];
    for (auto [entry, index] : frame.table_entries) program_->branch_targets[entry] = pcs[index];
    frame_ = outer;
  }

  void decode_statement(Frame& frame, const Statement& statement, bool is_inlined) {
    const std::string& base = statement.opcode[0];
    if (base == "call") {
      if (decode_call(frame, statement)) return;
    }
    Instruction in;
    InstructionSource source = source_of(statement);
    if (statement.guard >= 0) {
      in.guard = static_cast<int32_t>(register_slot(static_cast<uint32_t>(statement.guard)));
      in.guard_negated = statement.guard_negated;
    }
    const uint32_t pc = static_cast<uint32_t>(program_->code.size());
    if (base == "bra") {
      in.flow = Flow::kBranch;
      frame.branches.emplace_back(pc, label(frame, statement.operands.at(0).name));
    } else if (base == "ret" && is_inlined) {
      in.flow = Flow::kBranch;
      frame.branches.emplace_back(pc, static_cast<uint32_t>(frame.function.statements.size()));
    } else if (base == "ret" || base == "exit") {
      in.flow = Flow::kExit;
    } else {
      Binding binding(*this, statement, in, source);
      if (base == "brx") {
        decode_branch_table(frame, binding);
      } else {
        decode_instruction(binding);
      }
    }
    program_->code.push_back(in);
    program_->sources.push_back(std::move(source));
  }

  uint32_t label(const Frame& frame, const std::string& name) const {
    const auto found = frame.function.labels.find(name);
    if (found == frame.function.labels.end()) {
      throw LoadError("PTX line " + std::to_string(line_) + ": unknown label " + name);
    }
    return found->second;
  }

  void decode_branch_table(Frame& frame, Binding& binding) {
    const auto table = frame.function.branch_tables.find(binding.operand(1).name);
    if (table == frame.function.branch_tables.end()) binding.unsupported();
    binding.in.flow = Flow::kIndexedBranch;
    binding.in.operand[0] = binding.read(0, 4);
    binding.in.target = static_cast<uint32_t>(program_->branch_targets.size());
    binding.in.immediate = static_cast<int64_t>(table->second.size());
    for (const std::string& name : table->second) {
      frame.table_entries.emplace_back(program_->branch_targets.size(), label(frame, name));
      program_->branch_targets.push_back(0);
    }
  }

  // Expands the callee in place. False for functions without a body, which an opcode family may
  // know.
  bool decode_call(Frame& frame, const Statement& statement) {
    const auto name =
        std::find_if(statement.operands.begin(), statement.operands.end(),
                     [](const Operand& o) { return o.kind == ptx::OperandKind::kSymbol; });
    if (name == statement.operands.end()) return false;
    const auto callee = module_.functions.find(name->name);
    if (callee == module_.functions.end() || !callee->second->has_body) return false;
    if (std::count(call_stack_.begin(), call_stack_.end(), callee->second.get()) > 0) {
      throw LoadError("PTX line " + std::to_string(line_) +
                      ": recursion is not supported: " + name->name);
    }
    if (statement.guard >= 0) {
      throw LoadError("PTX line " + std::to_string(line_) + ": a predicated call is not supported");
    }
    Frame inner{*callee->second, {}, {}, {}, {}};
    if (name != statement.operands.begin()) {
      bind_parameters(frame, statement.operands.front(), callee->second->returns, inner);
    }
    if (name + 1 != statement.operands.end()) {
      bind_parameters(frame, *(name + 1), callee->second->parameters, inner);
    }
    call_stack_.push_back(callee->second.get());
    decode_function(inner);
    call_stack_.pop_back();
    return true;
  }

  static void bind_parameters(const Frame& frame, const Operand& actual,
                              const std::vector<Variable>& formal, Frame& inner) {
    for (size_t i = 0; i < formal.size(); ++i) {
      inner.local_offsets[formal[i].name] = frame.local_offsets.at(actual.elements.at(i).name);
    }
  }

  InstructionSource source_of(const Statement& statement) {
    InstructionSource source;
    source.text = statement.text;
    if (statement.location == 0) {
      source.location = std::make_shared<SourceLocation>(
          SourceLocation{"PTX line " + std::to_string(statement.line), "ptx", statement.line});
      return source;
    }
    auto& known = locations_[statement.location];
    if (!known) known = location_at(statement.location);
    source.location = known;
    return source;
  }

  std::shared_ptr<const SourceLocation> location_at(ptx::LocationIndex index) const {
    auto result = std::make_shared<SourceLocation>();
    while (index != 0) {
      const ptx::Location& at = module_.locations[index];
      const auto file = module_.files.find(at.file);
      const std::string name = file == module_.files.end() ? "ptx" : base_name(file->second);
      if (result->chain.empty()) {
        result->file = name;
        result->line = at.line;
      } else {
        result->chain += " < ";
      }
      result->chain += name + ":" + std::to_string(at.line);
      index = at.caller < index ? at.caller : 0;
    }
    return result;
  }

  // Falling off the end of a kernel returns.
  void emit_exit() {
    Instruction in;
    in.flow = Flow::kExit;
    program_->code.push_back(in);
    InstructionSource source;
    source.location =
        std::make_shared<SourceLocation>(SourceLocation{"end of " + kernel_.name, "", 0});
    source.text = "ret";
    program_->sources.push_back(std::move(source));
  }

  void lay_out_registers() {
    uint32_t end = 0;
    for (const auto& [key, slot] : constants_) end = std::max(end, slot + key.second * kLanes);
    program_->constants.assign(end, 0xff);
    for (const auto& [key, slot] : constants_) {
      for (uint32_t l = 0; l < kLanes; ++l) {
        std::memcpy(program_->constants.data() + slot + l * key.second, &key.first, key.second);
      }
    }
    program_->local_bytes = static_cast<uint32_t>(align_up(program_->local_bytes, 16));
  }

  const ptx::Module& module_;
  const Function& kernel_;
  const SymbolTable& symbols_;
  std::shared_ptr<Program> program_;
  Frame* frame_ = nullptr;
  uint32_t line_ = 0;
  std::map<std::string, uint32_t> parameters_, shared_;
  std::map<std::pair<uint64_t, uint32_t>, uint32_t> constants_;
  std::map<std::pair<SpecialRegister, uint32_t>, uint32_t> specials_;
  std::vector<const Function*> call_stack_;
  std::map<ptx::LocationIndex, std::shared_ptr<const SourceLocation>> locations_;
};

}  // namespace

std::shared_ptr<const Program> decode_kernel(const ptx::Module& module, const Function& kernel,
                                             const SymbolTable& symbols) {
  return KernelDecoder(module, kernel, symbols).run();
}

}  // namespace cudasim
