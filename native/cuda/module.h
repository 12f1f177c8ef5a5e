// The kernels of one device: framepack.fatbin, loaded from beside the addon.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>

#include "context.h"

namespace framepack::cuda {

// Belongs to one thread, on which the context is current.
class Module {
 public:
  // Throws ERR_NATIVE_LOAD when there is no framepack.fatbin, ERR_CUDA_DRIVER when the driver
  // refuses it.
  explicit Module(const Context& context);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Queues a kernel. `args` is the argument struct of its family; it is copied before the return.
  void launch(const char* op, const Launch& launch, const void* args, StreamHandle stream);

 private:
  struct Function {
    FunctionHandle handle;
    unsigned shared_limit;  // dynamic bytes that the driver lets a launch ask for
  };

  Function& find(const char* op, const char* kernel);

  const Context& context_;
  std::string path_;
  ModuleHandle handle_ = nullptr;
  std::unordered_map<std::string_view, Function> functions_;  // names live in the plan functions
};

}  // namespace framepack::cuda
