// Host memory on its way to or between devices: one producer fills it, one consumer waits for it.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "error.h"

namespace framepack {

using ErrorPtr = std::shared_ptr<const Error>;

class Transfer {
 public:
  // Throws ERR_OUT_OF_MEMORY.
  explicit Transfer(size_t bytes);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  std::byte* data() { return data_.get(); }
  size_t bytes() const { return bytes_; }

  // Blocks until finish(); returns the error of the producer, or null.
  ErrorPtr wait();
  // The first call counts.
  void finish(ErrorPtr error);

 private:
  std::unique_ptr<std::byte[]> data_;
  size_t bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_finished_ = false;
  ErrorPtr error_;
};

// The duty to finish a transfer. When the work that holds it is thrown away unrun, the transfer
// fails with ERR_ABORTED, so that its consumer never waits for ever.
class TransferProducer {
 public:
  explicit TransferProducer(std::shared_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
  ~TransferProducer();
  TransferProducer(const TransferProducer&) = delete;
  TransferProducer& operator=(const TransferProducer&) = delete;

  std::byte* data() { return transfer_->data(); }
  void finish(ErrorPtr error) { transfer_->finish(std::move(error)); }

 private:
  std::shared_ptr<Transfer> transfer_;
};

}  // namespace framepack
