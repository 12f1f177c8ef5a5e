#include "waiter.h"

#include <utility>

namespace framepack::cuda {
namespace {

constexpr unsigned kBlockingSync = 1, kDisableTiming = 2;  // CUevent_flags

}  // namespace

Waiter::Waiter(const Context& context) : context_(context), thread_([this] { loop(); }) {}

Waiter::~Waiter() {
  stop();
  const Context::Scope scope(context_);
  for (EventHandle event : free_events_) context_.driver().event_destroy(event);
}

void Waiter::after(StreamHandle stream, Action action) {
  Entry entry = record(stream, std::move(action));
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(entry));
  }
  changed_.notify_all();
}

Waiter::Entry Waiter::record(StreamHandle stream, Action action) {
  Entry entry{nullptr, 0, std::move(action)};
  entry.event = take_event(entry.result);
  if (entry.result == 0) entry.result = context_.driver().event_record(entry.event, stream);
  return entry;
}

EventHandle Waiter::take_event(Result& result) {
  {
    std::lock_guard lock(mutex_);
    if (!free_events_.empty()) {
      EventHandle event = free_events_.back();
      free_events_.pop_back();
      return event;
    }
  }
  EventHandle event = nullptr;
  result = context_.driver().event_create(&event, kBlockingSync | kDisableTiming);
  return event;
}

void Waiter::wait_for_room(size_t limit) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.size() < limit; });
}

void Waiter::stop() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Waiter::loop() {
  const Context::Scope scope(context_);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Entry& entry = queue_.front();  // a deque keeps it in place while others join
    lock.unlock();
    if (entry.result == 0) entry.result = context_.driver().event_synchronize(entry.event);
    entry.action(entry.result);
    entry.action = nullptr;  // frees what it owns before the next one waits
    lock.lock();
    if (entry.event != nullptr) free_events_.push_back(entry.event);
    queue_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace framepack::cuda
