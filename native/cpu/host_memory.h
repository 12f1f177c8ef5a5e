// Memory of the CPU device: blocks of the host whose release waits its turn on the stream.
#pragma once
#include "../core/allocator.h"
#include "../core/stream.h"

namespace framepack::cpu {

// Bytes that this process can touch before the kernel has to kill something: the estimate of the
// kernel, and what the control group leaves.
size_t available_bytes();

// Memory for std::free, aligned to 64 bytes; null when there is none. From some megabytes on it asks
// for huge pages: without them it takes milliseconds to touch a block for the first time and to give
// it back, and whoever maps memory meanwhile waits, JavaScript too.
void* allocate_pages(size_t bytes);

class HostMemory final : public MemorySource {
 public:
  explicit HostMemory(Stream& stream) : stream_(stream) {}

  // Linux promises more memory than there is, so large requests are held against available_bytes():
  // an error here is better than a killed process at the first touch.
  void* allocate(size_t bytes) override;
  void release(void* block) override;
  void drain() override { stream_.drain(); }

 private:
  Stream& stream_;
};

}  // namespace framepack::cpu
