#include "driver/module_store.h"

#include <cstring>
#include <new>

#include "exec/decoder.h"
#include "ptx/fatbin.h"
#include "ptx/module.h"

namespace cudasim {
namespace {

void initialise(const ptx::Variable& variable, const Allocation& allocation,
                const std::map<std::string, Allocation>& all) {
  DeviceMemory& memory = DeviceMemory::instance();
  uint8_t* bytes = memory.bytes_at(allocation.address);
  std::memset(bytes, 0, variable.bytes);
  std::memcpy(bytes, variable.initial.data(), variable.initial.size());
  for (const auto& reference : variable.symbols) {
    const auto target = all.find(reference.name);
    if (target == all.end())
      throw ptx::LoadError("initialiser names an unknown symbol: " + reference.name);
    const uint64_t value = target->second.address + static_cast<uint64_t>(reference.addend);
    std::memcpy(bytes + reference.offset, &value, sizeof value);
  }
  memory.mark_initialised(allocation.address, variable.bytes);
}

bool is_stored(const ptx::Variable& variable) {
  return (variable.space == ptx::StateSpace::kGlobal ||
          variable.space == ptx::StateSpace::kConst) &&
         !variable.is_extern && variable.bytes > 0;
}

}  // namespace

LoadedModule::LoadedModule(const void* image) {
  const ptx::Module module = ptx::parse_module(ptx::extract_ptx(image));
  SymbolTable symbols;
  for (const ptx::Variable& variable : module.variables) {
    if (!is_stored(variable)) continue;
    const uint64_t address = DeviceMemory::instance().allocate(variable.bytes);
    if (address == 0) throw std::bad_alloc();
    variables_[variable.name] = {address, variable.bytes};
    symbols[variable.name] = address;
  }
  for (const ptx::Variable& variable : module.variables) {
    if (is_stored(variable)) initialise(variable, variables_.at(variable.name), variables_);
  }
  for (const auto& [name, function] : module.functions) {
    if (function->is_entry) functions_[name].program = decode_kernel(module, *function, symbols);
  }
}

LoadedModule::~LoadedModule() {
  for (const auto& [name, allocation] : variables_)
    DeviceMemory::instance().release(allocation.address);
}

LoadedFunction* LoadedModule::function(const std::string& name) {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : &found->second;
}

const Allocation* LoadedModule::variable(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? nullptr : &found->second;
}

}  // namespace cudasim
