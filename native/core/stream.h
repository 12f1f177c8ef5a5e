// An in-order queue of work with one worker thread. The worker sleeps while the queue is empty.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "transfer.h"

namespace framepack {

// Called on a native thread with the error that precedes it on the stream, or null.
using Completion = std::function<void(ErrorPtr)>;

class Stream {
 public:
  using Task = std::function<void()>;

  // `is_synchronous` makes enqueue() wait for its task and throw the task's error: slow, but the
  // error then points at the call that caused it.
  explicit Stream(bool is_synchronous);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Runs `task` after everything queued before. What it throws is kept, under the name `op` (static
  // lifetime), and later tasks still run.
  void enqueue(const char* op, Task task);

  // Calls `done` once everything queued before has run. The kept error stays with the stream, and
  // every further completion gets it, until somebody acknowledges it.
  void complete(Completion done);
  void acknowledge(const ErrorPtr& error);

  // Blocks until everything queued before has run.
  void drain();

  // From the thread that enqueues: whether every task has run, and without an error that is still kept.
  bool has_settled();

  // From any thread: throws the queue away once the running task, which is not interrupted, has
  // ended. Tasks that come later are thrown away at once.
  void cancel();
  // Cancels and waits for the end of the worker.
  void stop();

 private:
  struct Entry {
    const char* op;
    Task task;
    bool is_work = false;  // and not somebody who waits for it
  };

  void push(Entry entry);
  void worker_loop();
  void run(const Entry& entry);

  const bool is_synchronous_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Entry> queue_;
  bool is_cancelled_ = false;
  ErrorPtr error_;
  std::atomic<size_t> num_unfinished_ = 0;
  std::thread worker_;  // last: it uses all of the above
};

}  // namespace framepack
