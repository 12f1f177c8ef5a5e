// The one stream of a device. Two threads serve it: the issuer hands commands to the driver in order,
// the waiter waits for the GPU. So neither a full launch queue nor a copy ever holds up JavaScript.
//
// Only a bounded part of the queue is with the driver; the rest can still be thrown away.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "../core/function_ref.h"
#include "../core/stream.h"
#include "../core/transfer.h"
#include "context.h"
#include "staging_ring.h"
#include "waiter.h"

namespace framepack::cuda {

class CommandQueue {
 public:
  using Command = std::function<void(StreamHandle)>;

  // `is_synchronous` waits for the GPU after every command, so that a fault names its command.
  CommandQueue(const Context& context, bool is_synchronous);
  ~CommandQueue();
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  // Hands `command` to the driver behind all earlier ones. `op` has static lifetime. Throws
  // ERR_DEVICE_LOST once the GPU has failed.
  void enqueue(const char* op, Command command);
  void upload(void* target, std::shared_ptr<Transfer> source);
  // The bytes [offset, offset + bytes) of a file that holds them now.
  void upload_file(void* target, const std::string& path, size_t offset, size_t bytes);
  void download(const void* source, void* target, size_t bytes, Completion done);

  // Drops `owner` behind all earlier commands, or earlier when they are thrown away.
  void drop(std::shared_ptr<void> owner);

  void fence(Completion done);
  void acknowledge(const ErrorPtr& error) { issuer_.acknowledge(error); }

  // Blocks until everything enqueued before is with the driver and dropped.
  void drain() { issuer_.drain(); }
  // From any thread: throws away what is not with the driver.
  void cancel() { issuer_.cancel(); }
  // Cancels, waits for the GPU and ends the threads.
  void stop();

 private:
  using Fill = FunctionRef<void(std::byte* piece, size_t offset, size_t bytes)>;

  // Body of every command.
  void issue(const char* op, const Command& command);
  void copy_in(const char* op, void* target, size_t bytes, Fill fill);
  void copy_out(const void* source, void* target, size_t bytes);
  ErrorPtr failure(Result result, const char* op);

  const Context& context_;
  const Driver& driver_;
  const bool is_synchronous_;
  StreamHandle stream_ = nullptr;
  StagingRing ring_;
  const char* last_op_ = "Device.open";  // of the issuer
  int unmarked_commands_ = 0;  // of the issuer: commands since the last action of the waiter
  std::mutex mutex_;
  ErrorPtr lost_;  // the first error that the GPU does not recover from
  Waiter waiter_;
  Stream issuer_;  // last: its thread uses all of the above
};

}  // namespace framepack::cuda
