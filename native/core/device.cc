#include "device.h"

#include "error.h"

namespace framepack {

std::unique_ptr<Buffer> Device::allocate(size_t bytes) {
  return std::make_unique<Buffer>(shared_from_this(), allocator().allocate(bytes), bytes);
}

void Device::release(const Block& block, MappedFile file) {
  if (is_shut_down_) return;
  if (file.data() == nullptr) {
    allocator().release(block);
  } else {
    allocator().discharge(block);
    unmap(std::move(file));
  }
}

bool Device::peek(const void*, void*, size_t) { return false; }

void Device::check_open(const char* op) const {
  if (is_closed_) throw Error(kErrDisposed, op, "device expected an open device, got a closed one");
}

void Device::cancel() {
  close();
  if (!is_shut_down_) cancel_work();
}

void Device::shut_down() {
  close();
  if (is_shut_down_) return;
  stop_work();
  is_shut_down_ = true;
  allocator().release_all();
}

}  // namespace framepack
