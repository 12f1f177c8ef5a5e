// A thread that waits for the GPU, so that nobody else has to.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "context.h"

namespace framepack::cuda {

class Waiter {
 public:
  // Called on the waiter's thread when the GPU got there, or cannot any more.
  using Action = std::function<void(Result)>;

  explicit Waiter(const Context& context);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Runs `action` once all work in `stream` so far is done. Actions run in the order of the calls,
  // which come from one thread on which the context is current.
  void after(StreamHandle stream, Action action);

  // Blocks until fewer than `limit` actions are outstanding.
  void wait_for_room(size_t limit);

  // Runs the outstanding actions, then ends the thread.
  void stop();

 private:
  struct Entry {
    EventHandle event;
    Result result;  // of recording the event
    Action action;
  };

  Entry record(StreamHandle stream, Action action);
  EventHandle take_event(Result& result);
  void loop();

  const Context& context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> queue_;  // the front is being waited for
  std::vector<EventHandle> free_events_;
  bool is_ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace framepack::cuda
