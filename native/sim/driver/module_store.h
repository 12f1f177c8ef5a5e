// Loaded modules: decoded kernels with their launch attributes, and the module's variables in
// device memory.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "device_memory.h"
#include "driver/cuda_abi.h"
#include "exec/program.h"

namespace cudasim {

struct LoadedFunction {
  static constexpr int kDefaultDynamicShared = 48 * 1024;

  std::shared_ptr<const Program> program;
  int max_dynamic_shared = kDefaultDynamicShared;
};

class LoadedModule {
 public:
  /** @throws ptx::LoadError for text that is not understood, std::bad_alloc when variables do not
   * fit. */
  explicit LoadedModule(const void* image);
  ~LoadedModule();
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  /** Null when there is no such kernel or variable. */
  LoadedFunction* function(const std::string& name);
  const Allocation* variable(const std::string& name) const;

 private:
  std::map<std::string, LoadedFunction> functions_;
  std::map<std::string, Allocation> variables_;
};

}  // namespace cudasim
