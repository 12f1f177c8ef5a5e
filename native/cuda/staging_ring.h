// Page-locked host memory through which all data passes on its way to and from the GPU: only from
// there copies are asynchronous. Its size bounds how much is under way.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "context.h"

namespace framepack::cuda {

class StagingRing {
 public:
  static constexpr size_t kMaxPieceBytes = size_t{4} << 20;

  explicit StagingRing(const Context& context) : context_(context) {}
  // Every piece must be gone.
  ~StagingRing();
  StagingRing(const StagingRing&) = delete;
  StagingRing& operator=(const StagingRing&) = delete;

  // Blocks until `bytes`, at most kMaxPieceBytes, are free. The piece may be dropped on any thread,
  // in any order. Calls come from one thread on which the context is current. The memory is
  // allocated by the first of them, which may throw ERR_OUT_OF_MEMORY.
  std::shared_ptr<std::byte> acquire(size_t bytes);

 private:
  struct Piece {
    uint64_t end;
    bool is_free;
  };

  void allocate();
  void release(uint64_t end);

  const Context& context_;
  std::byte* memory_ = nullptr;
  std::mutex mutex_;
  std::condition_variable released_;
  // Positions count bytes since the beginning; position p lies at p modulo the size of the ring.
  uint64_t head_ = 0;  // end of the newest piece
  uint64_t tail_ = 0;  // end of the newest piece of those that are gone with all before them
  std::deque<Piece> pieces_;
};

}  // namespace framepack::cuda
