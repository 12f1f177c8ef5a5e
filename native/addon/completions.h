// Promises that native threads settle, through one threadsafe function per JavaScript environment.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "../core/device.h"
#include "../core/function_ref.h"

namespace framepack::addon {

class Completions {
 public:
  explicit Completions(Napi::Env env);
  ~Completions();
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  // A promise for work that `start` begins: it gets the callback that settles the promise, from any
  // thread, at most once. Until then the event loop stays alive, and so do the device and `target`,
  // memory that the native side writes to. What `start` throws is thrown on, and no promise is left.
  using Start = FunctionRef<void(Completion)>;
  Napi::Promise run(std::shared_ptr<Device> device, Napi::Value target, Start start);
  // The same; `before_settling` runs first on the JavaScript thread, whether the work failed or not.
  Napi::Promise run(std::shared_ptr<Device> device, std::function<void()> before_settling,
                    Start start);

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

  Napi::Promise run(Entry entry, Start start);
  Entry take(uint64_t id);
  static void on_wake(napi_env env, napi_value, void* context, void*);
  void settle(Napi::Env env, uint64_t id, const ErrorPtr& error);

  napi_env env_;
  std::shared_ptr<Inbox> inbox_;
  std::unordered_map<uint64_t, Entry> entries_;
  uint64_t next_id_ = 1;
};

}  // namespace framepack::addon
