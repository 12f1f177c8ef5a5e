#include "meta_device.h"

#include "error.h"

namespace framepack {

std::unique_ptr<Buffer> MetaDevice::map_file(const std::string& path, size_t offset, size_t bytes) {
  check_file_range(path, offset, bytes);
  return allocate(bytes);
}

void MetaDevice::download(const void*, void*, size_t, Completion done) {
  done(std::make_shared<const Error>(kErrUnsupported, "read",
                                     "device expected one that holds data, got meta"));
}

}  // namespace framepack
