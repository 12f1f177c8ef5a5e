#include "environment.h"

#include <algorithm>

namespace framepack::addon {

Environment::Environment(Napi::Env env) : completions_(env) {}

void Environment::attach(Napi::Env env) {
  auto* environment = new Environment(env);
  env.SetInstanceData(environment);
  napi_add_env_cleanup_hook(env, &Environment::on_exit, environment);
}

Environment& Environment::of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

void Environment::set_error_class(Napi::Function error_class) {
  error_class_ = Napi::Persistent(error_class);
}

void Environment::add_device(const std::shared_ptr<Device>& device) {
  std::erase_if(devices_, [](const auto& known) { return known.expired(); });
  devices_.push_back(device);
}

void Environment::on_exit(void* self) { static_cast<Environment*>(self)->shut_down(); }

// All are cancelled before the first is joined: a worker may wait for data of another device.
void Environment::shut_down() {
  std::vector<std::shared_ptr<Device>> devices;
  for (const auto& known : devices_) {
    if (auto device = known.lock()) devices.push_back(std::move(device));
  }
  for (const auto& device : devices) device->cancel();
  for (const auto& device : devices) device->shut_down();
  completions_.close();
}

}  // namespace framepack::addon
