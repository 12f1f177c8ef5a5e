// Turns a parsed kernel into a Program: assigns registers, lays out shared and local memory,
// inlines calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "exec/program.h"
#include "ptx/module.h"

namespace cudasim {

/** Device addresses of the module's .global and .const variables. */
using SymbolTable = std::map<std::string, uint64_t>;

/** @throws ptx::LoadError naming the line of an instruction that is not supported. */
std::shared_ptr<const Program> decode_kernel(const ptx::Module& module, const ptx::Function& kernel,
                                             const SymbolTable& symbols);

}  // namespace cudasim
