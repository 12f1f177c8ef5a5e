// Where the memory of the GPU comes from.
#pragma once
#include "../core/allocator.h"
#include "command_queue.h"

namespace framepack::cuda {

class DeviceMemory final : public MemorySource {
 public:
  DeviceMemory(const Context& context, CommandQueue& queue) : context_(context), queue_(queue) {}

  // Throws ERR_DEVICE_LOST once the GPU has failed.
  void* allocate(size_t bytes) override;
  void release(void* block) override;
  void drain() override { queue_.drain(); }

 private:
  const Context& context_;
  CommandQueue& queue_;
};

}  // namespace framepack::cuda
