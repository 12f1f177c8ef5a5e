// Streams as queues of work that runs only when somebody waits, so that a missing synchronisation
// shows up as missing data, every time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "driver/cuda_abi.h"

namespace cudasim {

struct Stream;

/** Work that others can wait for: everything in `stream` queued before `sequence`. */
struct QueuePosition {
  std::shared_ptr<Stream> stream;
  uint64_t sequence = 0;
};

struct Operation {
  uint64_t sequence = 0;
  std::function<CUresult()> run;
  QueuePosition wait_for;             // cuStreamWaitEvent
  const void* host_source = nullptr;  // pinned memory that the operation will read
  size_t host_source_bytes = 0;
};

struct Stream {
  bool is_default = false;
  bool is_blocking = true;  // ordered with the default stream
  bool is_running = false;
  std::deque<Operation> queue;
};

/** One record of an event; a later cuEventRecord makes a new one. */
struct EventRecord {
  QueuePosition position;
  bool is_done = false;
  double seconds = 0;
};

struct Event {
  std::shared_ptr<EventRecord> record;
  bool has_timing = true;
};

class StreamEngine {
 public:
  static StreamEngine& instance();

  /** Null for an unknown handle. */
  std::shared_ptr<Stream> stream(CUstream handle);
  CUstream create(bool is_blocking);
  CUresult destroy(CUstream handle);

  CUresult enqueue(const std::shared_ptr<Stream>& stream, Operation operation);
  CUresult synchronise(const std::shared_ptr<Stream>& stream);
  CUresult synchronise_all();
  /** Runs the oldest operation, so that a host that polls gets on; CUDA_ERROR_NOT_READY if there
   * was one. */
  CUresult query(const std::shared_ptr<Stream>& stream);

  CUresult record(Event& event, const std::shared_ptr<Stream>& stream);
  CUresult wait(const std::shared_ptr<EventRecord>& record);
  CUresult query(const std::shared_ptr<EventRecord>& record);

  /** A host function waits in the queue: a background thread runs the stream up to it, as hardware
   * would. */
  CUresult enqueue_host_function(const std::shared_ptr<Stream>& stream, CUhostFn function,
                                 void* data);

  /** Whether queued work still has to read this host memory. */
  bool is_host_source(const void* address, size_t bytes);

  /** The first error of executed work; every later call returns it. */
  CUresult status();
  void reset();

 private:
  using Lock = std::unique_lock<std::mutex>;

  StreamEngine();
  bool has_work_before(const Stream& stream, uint64_t sequence) const;
  void run_until(Lock& lock, const std::shared_ptr<Stream>& stream, uint64_t sequence);
  void run_front(Lock& lock, const std::shared_ptr<Stream>& stream);
  void satisfy(Lock& lock, const std::shared_ptr<Stream>& stream, const QueuePosition& wait_for,
               uint64_t sequence);
  std::vector<std::shared_ptr<Stream>> all_streams() const;
  void serve_host_functions();

  std::mutex mutex_;
  std::condition_variable idle_, host_function_queued_;
  std::shared_ptr<Stream> default_stream_;
  std::set<std::shared_ptr<Stream>> streams_;
  uint64_t next_sequence_ = 1;
  CUresult status_ = CUDA_SUCCESS;
  std::deque<QueuePosition> host_functions_;
  bool has_server_ = false;
};

}  // namespace cudasim
