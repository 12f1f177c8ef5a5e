// Opening, describing, waiting for and closing devices.
#include "../../core/device.h"

#include "../arguments.h"
#include "../environment.h"
#include "../exports.h"
#include "../handles.h"
#include "../open_device.h"

namespace framepack::addon {
namespace {

std::string text_of(Napi::Object options, const char* name) {
  const Napi::Value value = options.Get(name);
  return value.IsUndefined() ? std::string() : value.ToString().Utf8Value();
}

size_t size_of_option(Napi::Object options, const char* name, size_t otherwise) {
  const Napi::Value value = options.Get(name);
  return value.IsUndefined() ? otherwise : read_size("Device.open", name, value);
}

}  // namespace

Napi::Value open_device(const Napi::CallbackInfo& info) {
  const Napi::Object options = info[1].As<Napi::Object>();
  DeviceOptions parsed;
  parsed.threads = static_cast<int>(size_of_option(options, "threads", 0));
  parsed.isa = text_of(options, "isa");
  parsed.budget_bytes = size_of_option(options, "budgetBytes", Allocator::kNoBudget);
  parsed.ordinal = static_cast<int>(size_of_option(options, "ordinal", 0));
  parsed.driver = text_of(options, "driver");
  parsed.is_synchronous = options.Get("isSynchronous").ToBoolean();
  std::shared_ptr<Device> device = create_device(info[0].ToString().Utf8Value(), parsed);
  Environment::of(info.Env()).add_device(device);
  return wrap_device(info.Env(), std::move(device));
}

Napi::Value close_device(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("close", info[0]);
  device->check_open("close");
  Device* closing = device.get();
  return Environment::of(info.Env())
      .completions()
      .run(
          device, [closing] { closing->shut_down(); },
          [closing](Completion done) {
            closing->fence(std::move(done));
            closing->close();
          });
}

Napi::Value describe(const Napi::CallbackInfo& info) {
  const Napi::Object facts = Napi::Object::New(info.Env());
  for (const auto& [name, value] : unwrap_device("describe", info[0])->describe()) {
    facts.Set(name, value);
  }
  return facts;
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const MemoryStats stats = unwrap_device("memory", info[0])->memory();
  const auto number = [env](size_t value) -> Napi::Value {
    return Napi::Number::New(env, static_cast<double>(value));
  };
  const Napi::Object result = Napi::Object::New(env);
  result.Set("currentBytes", number(stats.current_bytes));
  result.Set("peakBytes", number(stats.peak_bytes));
  result.Set("budgetBytes",
             stats.budget_bytes == Allocator::kNoBudget ? env.Null() : number(stats.budget_bytes));
  result.Set("liveTensors", number(stats.live_blocks));
  return result;
}

Napi::Value reset_peak(const Napi::CallbackInfo& info) {
  unwrap_device("resetPeak", info[0])->reset_peak();
  return info.Env().Undefined();
}

Napi::Value fence(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("synchronize", info[0]);
  device->check_open("synchronize");
  const auto start = [&](Completion done) { device->fence(std::move(done)); };
  return Environment::of(info.Env()).completions().run(device, std::function<void()>(), start);
}

}  // namespace framepack::addon
