#include "stream.h"

#include <exception>
#include <new>
#include <utility>

namespace framepack {
namespace {

ErrorPtr current_error(const char* op) {
  try {
    throw;
  } catch (const Error& error) {
    return std::make_shared<const Error>(error);
  } catch (const std::bad_alloc&) {
    return std::make_shared<const Error>(kErrOutOfMemory, op,
                                         "host memory expected room for scratch space, got none");
  } catch (const std::exception& error) {
    return std::make_shared<const Error>(kErrInternal, op, error.what());
  }
}

}  // namespace

Stream::Stream(bool is_synchronous)
    : is_synchronous_(is_synchronous), worker_([this] { worker_loop(); }) {}

Stream::~Stream() { stop(); }

void Stream::enqueue(const char* op, Task task) {
  num_unfinished_.fetch_add(1, std::memory_order_relaxed);
  push({op, std::move(task), true});
  if (!is_synchronous_) return;
  drain();
  ErrorPtr error;
  {
    std::lock_guard lock(mutex_);
    error = std::exchange(error_, nullptr);
  }
  if (error) throw Error(*error);
}

void Stream::complete(Completion done) {
  push({"wait", [this, done = std::move(done)] {
          ErrorPtr error;
          {
            std::lock_guard lock(mutex_);
            error = error_;
          }
          done(std::move(error));
        }});
}

void Stream::acknowledge(const ErrorPtr& error) {
  std::lock_guard lock(mutex_);
  if (error_ == error) error_ = nullptr;
}

void Stream::drain() {
  // A transfer without data is a one-shot event that also fires when the queue is thrown away.
  const auto event = std::make_shared<Transfer>(0);
  auto producer = std::make_shared<TransferProducer>(event);
  push({"wait", [producer = std::move(producer)] { producer->finish(nullptr); }});
  event->wait();
}

bool Stream::has_settled() {
  // What the tasks wrote is visible to whoever sees that they have run.
  if (num_unfinished_.load(std::memory_order_acquire) > 0) return false;
  std::lock_guard lock(mutex_);
  return error_ == nullptr;
}

void Stream::push(Entry entry) {
  {
    std::lock_guard lock(mutex_);
    if (is_cancelled_) return;
    queue_.push_back(std::move(entry));
  }
  has_work_.notify_one();
}

void Stream::cancel() {
  {
    std::lock_guard lock(mutex_);
    is_cancelled_ = true;
  }
  has_work_.notify_one();
}

void Stream::stop() {
  cancel();
  if (worker_.joinable()) worker_.join();
}

void Stream::worker_loop() {
  for (;;) {
    Entry entry;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [this] { return is_cancelled_ || !queue_.empty(); });
      if (is_cancelled_) break;
      entry = std::move(queue_.front());
      queue_.pop_front();
    }
    run(entry);
  }
  // Here and not in cancel(): the queue owns memory that the last task may have been using.
  std::deque<Entry> discarded;
  {
    std::lock_guard lock(mutex_);
    discarded.swap(queue_);
  }
}

void Stream::run(const Entry& entry) {
  try {
    entry.task();
  } catch (...) {
    ErrorPtr error = current_error(entry.op);
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  if (entry.is_work) num_unfinished_.fetch_sub(1, std::memory_order_release);
}

}  // namespace framepack
