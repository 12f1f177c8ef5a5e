#include "transfer.h"

#include <new>
#include <string>
#include <utility>

namespace framepack {

Transfer::Transfer(size_t bytes) : data_(new (std::nothrow) std::byte[bytes]), bytes_(bytes) {
  if (!data_) {
    throw Error(kErrOutOfMemory, "upload",
                "host memory expected " + std::to_string(bytes) + " free bytes, got none");
  }
}

ErrorPtr Transfer::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_finished_; });
  return error_;
}

void Transfer::finish(ErrorPtr error) {
  {
    std::lock_guard lock(mutex_);
    if (is_finished_) return;
    is_finished_ = true;
    error_ = std::move(error);
  }
  changed_.notify_all();
}

TransferProducer::~TransferProducer() {
  transfer_->finish(std::make_shared<const Error>(
      kErrAborted, "to", "source expected a device that stays open, got a closed one"));
}

}  // namespace framepack
