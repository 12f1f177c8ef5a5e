// Promises that native threads settle, through one threadsafe function per JavaScript environment.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "../core/device.h"

namespace framepack::addon {

class Completions {
 public:
  explicit Completions(Napi::Env env);
  ~Completions();
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  // A promise and the callback that settles it, from any thread, at most once. Until then the event
  // loop stays alive, and so do the device and `target`, memory that the native side writes to.
  struct Pending {
    Napi::Promise promise;
    Completion done;
  };
  Pending add(std::shared_ptr<Device> device, Napi::Value target);
  // Runs `before_settling` on the JavaScript thread first, whether the work failed or not.
  Pending add(std::shared_ptr<Device> device, std::function<void()> before_settling);

  // Before the environment ends, after every device has shut down: nothing settles any more.
  void close();

 private:
  struct Inbox;
  struct Entry {
    Napi::Promise::Deferred deferred;
    std::shared_ptr<Device> device;
    Napi::Reference<Napi::Value> target;
    std::function<void()> before_settling;
  };

  Pending add(Entry entry);
  static void on_wake(napi_env env, napi_value, void* context, void*);
  void settle(Napi::Env env, uint64_t id, const ErrorPtr& error);

  napi_env env_;
  std::shared_ptr<Inbox> inbox_;
  std::unordered_map<uint64_t, Entry> entries_;
  uint64_t next_id_ = 1;
};

}  // namespace framepack::addon
