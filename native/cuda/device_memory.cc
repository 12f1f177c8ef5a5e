#include "device_memory.h"

namespace framepack::cuda {

void* DeviceMemory::allocate(size_t bytes) {
  const Context::Scope scope(context_);
  Address address = 0;
  const Result result = context_.driver().memory_allocate(&address, bytes);
  constexpr Result kOutOfMemory = 2;
  if (result == kOutOfMemory) return nullptr;
  context_.driver().check(result, "allocate");
  return reinterpret_cast<void*>(address);
}

// The driver waits for the GPU before it frees, so the block need only wait for its turn. A failure
// leaves nothing to do: the context is lost, and its memory with it.
void DeviceMemory::release(void* block) {
  const auto free_block = [&context = context_](void* data) {
    const Context::Scope scope(context);
    context.driver().memory_free(address_of(data));
  };
  queue_.drop(std::shared_ptr<void>(block, free_block));
}

}  // namespace framepack::cuda
