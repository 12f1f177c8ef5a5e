#include "staging_ring.h"

#include <algorithm>

namespace framepack::cuda {
namespace {

constexpr uint64_t kBytes = uint64_t{4} * StagingRing::kMaxPieceBytes;
constexpr uint64_t kAlignment = 64;

}  // namespace

StagingRing::~StagingRing() {
  if (memory_ == nullptr) return;
  const Context::Scope scope(context_);
  context_.driver().host_free(memory_);
}

std::shared_ptr<std::byte> StagingRing::acquire(size_t bytes) {
  if (memory_ == nullptr) allocate();
  const uint64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  std::unique_lock lock(mutex_);
  // A piece that would reach beyond the end of the ring starts at its beginning.
  const uint64_t offset = head_ % kBytes;
  const uint64_t skipped = offset + rounded > kBytes ? kBytes - offset : 0;
  const uint64_t end = head_ + skipped + rounded;
  released_.wait(lock, [&] { return end - tail_ <= kBytes; });
  head_ = end;
  pieces_.push_back({end, false});
  return {memory_ + (end - rounded) % kBytes, [this, end](std::byte*) { release(end); }};
}

void StagingRing::allocate() {
  void* memory = nullptr;
  context_.driver().check(context_.driver().host_allocate(&memory, kBytes, 0), "staging");
  memory_ = static_cast<std::byte*>(memory);
}

void StagingRing::release(uint64_t end) {
  {
    std::lock_guard lock(mutex_);
    std::ranges::find(pieces_, end, &Piece::end)->is_free = true;
    while (!pieces_.empty() && pieces_.front().is_free) {
      tail_ = pieces_.front().end;
      pieces_.pop_front();
    }
  }
  released_.notify_one();
}

}  // namespace framepack::cuda
