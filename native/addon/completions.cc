#include "completions.h"

#include <mutex>
#include <utility>
#include <vector>

#include "errors.h"

namespace framepack::addon {

// What native threads see of the environment. It outlives the environment in their closures.
struct Completions::Inbox {
  struct Message {
    uint64_t id;
    ErrorPtr error;
  };

  std::mutex mutex;
  std::vector<Message> messages;
  napi_threadsafe_function wake = nullptr;  // null when the environment is gone

  void post(uint64_t id, ErrorPtr error) {
    std::lock_guard lock(mutex);
    if (wake == nullptr) return;
    messages.push_back({id, std::move(error)});
    // One wake-up takes all messages.
    if (messages.size() == 1) napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking);
  }
};

Completions::Completions(Napi::Env env) : env_(env), inbox_(std::make_shared<Inbox>()) {
  const Napi::String name = Napi::String::New(env, "framepack");
  const napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      &Completions::on_wake, &inbox_->wake);
  if (status != napi_ok) {
    throw Error(kErrInternal, "initialize", "threadsafe function expected, got none");
  }
  napi_unref_threadsafe_function(env, inbox_->wake);
}

Completions::~Completions() { close(); }

void Completions::close() {
  napi_threadsafe_function wake;
  {
    std::lock_guard lock(inbox_->mutex);
    wake = std::exchange(inbox_->wake, nullptr);
    inbox_->messages.clear();
  }
  if (wake != nullptr) napi_release_threadsafe_function(wake, napi_tsfn_abort);
  entries_.clear();
}

Napi::Promise Completions::run(std::shared_ptr<Device> device, Napi::Value target, Start start) {
  return run({Napi::Promise::Deferred::New(env_), std::move(device),
              Napi::Reference<Napi::Value>::New(target, 1), nullptr},
             start);
}

Napi::Promise Completions::run(std::shared_ptr<Device> device,
                               std::function<void()> before_settling, Start start) {
  return run(
      {Napi::Promise::Deferred::New(env_), std::move(device), {}, std::move(before_settling)},
      start);
}

Napi::Promise Completions::run(Entry entry, Start start) {
  const uint64_t id = next_id_++;
  const Napi::Promise promise = entry.deferred.Promise();
  if (entries_.empty()) napi_ref_threadsafe_function(env_, inbox_->wake);
  entries_.emplace(id, std::move(entry));
  try {
    start([inbox = inbox_, id](ErrorPtr error) { inbox->post(id, std::move(error)); });
  } catch (...) {
    take(id);
    throw;
  }
  return promise;
}

Completions::Entry Completions::take(uint64_t id) {
  auto node = entries_.extract(id);
  if (entries_.empty()) napi_unref_threadsafe_function(env_, inbox_->wake);
  return std::move(node.mapped());
}

void Completions::on_wake(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  auto* self = static_cast<Completions*>(context);
  std::vector<Inbox::Message> messages;
  {
    std::lock_guard lock(self->inbox_->mutex);
    messages.swap(self->inbox_->messages);
  }
  try {
    for (const Inbox::Message& message : messages) self->settle(env, message.id, message.error);
  } catch (const Napi::Error&) {
    // The environment is being terminated and runs no more JavaScript; nobody waits for the rest.
  }
}

void Completions::settle(Napi::Env env, uint64_t id, const ErrorPtr& error) {
  const Napi::HandleScope scope(env);
  const Entry entry = take(id);
  if (entry.before_settling) entry.before_settling();
  if (error) {
    entry.device->acknowledge(error);
    entry.deferred.Reject(to_javascript(env, *error));
  } else {
    entry.deferred.Resolve(env.Undefined());
  }
}

}  // namespace framepack::addon
