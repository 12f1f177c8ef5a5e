#include "driver/streams.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace cudasim {
namespace {

constexpr uint64_t kEverything = ~uint64_t{0};

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

StreamEngine& StreamEngine::instance() {
  // Never destroyed: the background thread may outlive static destruction.
  static StreamEngine& engine = *new StreamEngine;
  return engine;
}

StreamEngine::StreamEngine() : default_stream_(std::make_shared<Stream>()) {
  default_stream_->is_default = true;
}

std::shared_ptr<Stream> StreamEngine::stream(CUstream handle) {
  Lock lock(mutex_);
  // 0, CU_STREAM_LEGACY and CU_STREAM_PER_THREAD
  if (reinterpret_cast<uintptr_t>(handle) <= 2) return default_stream_;
  for (const auto& stream : streams_) {
    if (reinterpret_cast<CUstream>(stream.get()) == handle) return stream;
  }
  return nullptr;
}

CUstream StreamEngine::create(bool is_blocking) {
  Lock lock(mutex_);
  auto stream = std::make_shared<Stream>();
  stream->is_blocking = is_blocking;
  streams_.insert(stream);
  return reinterpret_cast<CUstream>(stream.get());
}

CUresult StreamEngine::destroy(CUstream handle) {
  const std::shared_ptr<Stream> target = stream(handle);
  if (!target || target->is_default) return CUDA_ERROR_INVALID_HANDLE;
  Lock lock(mutex_);
  run_until(lock, target, kEverything);
  streams_.erase(target);
  return status_;
}

CUresult StreamEngine::enqueue(const std::shared_ptr<Stream>& stream, Operation operation) {
  Lock lock(mutex_);
  if (status_ != CUDA_SUCCESS) return status_;
  operation.sequence = next_sequence_++;
  stream->queue.push_back(std::move(operation));
  return CUDA_SUCCESS;
}

CUresult StreamEngine::enqueue_host_function(const std::shared_ptr<Stream>& stream,
                                             CUhostFn function, void* data) {
  Operation operation;
  operation.run = [function, data] {
    function(data);
    return CUDA_SUCCESS;
  };
  const CUresult result = enqueue(stream, std::move(operation));
  if (result != CUDA_SUCCESS) return result;
  Lock lock(mutex_);
  host_functions_.push_back({stream, next_sequence_});
  if (!has_server_) {
    has_server_ = true;
    std::thread([this] { serve_host_functions(); }).detach();
  }
  host_function_queued_.notify_one();
  return CUDA_SUCCESS;
}

void StreamEngine::serve_host_functions() {
  Lock lock(mutex_);
  for (;;) {
    host_function_queued_.wait(lock, [this] { return !host_functions_.empty(); });
    const QueuePosition position = host_functions_.front();
    host_functions_.pop_front();
    run_until(lock, position.stream, position.sequence);
  }
}

bool StreamEngine::has_work_before(const Stream& stream, uint64_t sequence) const {
  return !stream.queue.empty() && stream.queue.front().sequence < sequence;
}

void StreamEngine::run_until(Lock& lock, const std::shared_ptr<Stream>& stream, uint64_t sequence) {
  for (;;) {
    idle_.wait(lock, [&] { return !stream->is_running; });
    if (!has_work_before(*stream, sequence)) return;
    run_front(lock, stream);
  }
}

void StreamEngine::satisfy(Lock& lock, const std::shared_ptr<Stream>& stream,
                           const QueuePosition& wait_for, uint64_t sequence) {
  if (wait_for.stream) run_until(lock, wait_for.stream, wait_for.sequence);
  if (stream->is_default) {
    for (const auto& other : all_streams()) {
      if (other->is_blocking && !other->is_default) run_until(lock, other, sequence);
    }
  } else if (stream->is_blocking) {
    run_until(lock, default_stream_, sequence);
  }
}

void StreamEngine::run_front(Lock& lock, const std::shared_ptr<Stream>& stream) {
  const uint64_t sequence = stream->queue.front().sequence;
  const QueuePosition wait_for = stream->queue.front().wait_for;  // a copy: the lock is let go
  satisfy(lock, stream, wait_for, sequence);
  // Another thread may have run it while this one ran what it depends on.
  if (stream->is_running || stream->queue.empty() || stream->queue.front().sequence != sequence)
    return;
  const Operation operation = std::move(stream->queue.front());
  stream->queue.pop_front();
  if (status_ != CUDA_SUCCESS || !operation.run) return;
  stream->is_running = true;
  lock.unlock();
  const CUresult result = operation.run();
  lock.lock();
  stream->is_running = false;
  if (status_ == CUDA_SUCCESS) status_ = result;
  idle_.notify_all();
}

std::vector<std::shared_ptr<Stream>> StreamEngine::all_streams() const {
  std::vector<std::shared_ptr<Stream>> all(streams_.begin(), streams_.end());
  all.push_back(default_stream_);
  return all;
}

CUresult StreamEngine::synchronise(const std::shared_ptr<Stream>& stream) {
  Lock lock(mutex_);
  // The default stream's synchronisation waits for the blocking streams too.
  satisfy(lock, stream, {}, stream->is_default ? kEverything : 0);
  run_until(lock, stream, kEverything);
  return status_;
}

CUresult StreamEngine::synchronise_all() {
  Lock lock(mutex_);
  for (const auto& stream : all_streams()) run_until(lock, stream, kEverything);
  return status_;
}

CUresult StreamEngine::query(const std::shared_ptr<Stream>& stream) {
  Lock lock(mutex_);
  if (status_ != CUDA_SUCCESS) return status_;
  if (stream->is_running) return CUDA_ERROR_NOT_READY;
  if (stream->queue.empty()) return CUDA_SUCCESS;
  run_front(lock, stream);
  return status_ == CUDA_SUCCESS ? CUDA_ERROR_NOT_READY : status_;
}

CUresult StreamEngine::record(Event& event, const std::shared_ptr<Stream>& stream) {
  auto record = std::make_shared<EventRecord>();
  Operation operation;
  operation.run = [this, record] {
    Lock lock(mutex_);
    record->is_done = true;
    record->seconds = now_seconds();
    return CUDA_SUCCESS;
  };
  const CUresult result = enqueue(stream, std::move(operation));
  if (result != CUDA_SUCCESS) return result;
  Lock lock(mutex_);
  record->position = {stream, next_sequence_};
  event.record = record;
  return CUDA_SUCCESS;
}

CUresult StreamEngine::wait(const std::shared_ptr<EventRecord>& record) {
  Lock lock(mutex_);
  if (record && !record->is_done)
    run_until(lock, record->position.stream, record->position.sequence);
  return status_;
}

CUresult StreamEngine::query(const std::shared_ptr<EventRecord>& record) {
  {
    Lock lock(mutex_);
    if (status_ != CUDA_SUCCESS || !record || record->is_done) return status_;
  }
  const CUresult result = query(record->position.stream);
  return result == CUDA_SUCCESS ? CUDA_ERROR_NOT_READY : result;
}

bool StreamEngine::is_host_source(const void* address, size_t bytes) {
  Lock lock(mutex_);
  const auto* begin = static_cast<const char*>(address);
  for (const auto& stream : all_streams()) {
    for (const Operation& operation : stream->queue) {
      const auto* source = static_cast<const char*>(operation.host_source);
      if (source && source < begin + bytes && begin < source + operation.host_source_bytes)
        return true;
    }
  }
  return false;
}

CUresult StreamEngine::status() {
  Lock lock(mutex_);
  return status_;
}

void StreamEngine::reset() {
  Lock lock(mutex_);
  for (const auto& stream : all_streams()) {
    idle_.wait(lock, [&] { return !stream->is_running; });
    stream->queue.clear();
  }
  host_functions_.clear();
  status_ = CUDA_SUCCESS;
}

}  // namespace cudasim
