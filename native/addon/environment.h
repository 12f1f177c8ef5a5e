// State of one JavaScript environment: the main thread and every worker thread have their own.
#pragma once
#include <napi.h>

#include <memory>
#include <vector>

#include "../core/device.h"
#include "completions.h"
#include "external_memory.h"

namespace framepack::addon {

class Environment {
 public:
  // Creates the state of `env` and hooks it to the end of the environment.
  static void attach(Napi::Env env);
  static Environment& of(Napi::Env env);

  explicit Environment(Napi::Env env);

  void set_error_class(Napi::Function error_class);
  const Napi::FunctionReference& error_class() const { return error_class_; }

  Completions& completions() { return completions_; }
  const std::shared_ptr<ExternalMemory>& external_memory() const { return external_memory_; }

  // Devices are stopped when the environment ends, whoever still refers to them.
  void add_device(const std::shared_ptr<Device>& device);

 private:
  static void on_exit(void* self);
  void shut_down();

  Napi::FunctionReference error_class_;
  Completions completions_;
  std::shared_ptr<ExternalMemory> external_memory_ = std::make_shared<ExternalMemory>();
  std::vector<std::weak_ptr<Device>> devices_;
};

}  // namespace framepack::addon
