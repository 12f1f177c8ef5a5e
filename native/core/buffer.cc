#include "buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "device.h"
#include "error.h"

namespace framepack {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& expected,
                       const std::string& got) {
  throw Error(kErrArgument, "mapFile", path + " expected " + expected + ", got " + got);
}

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) fail(path, "a readable file", std::strerror(errno));
  }
  ~FileDescriptor() { close(descriptor_); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

void check_range(const FileDescriptor& file, const std::string& path, size_t offset, size_t bytes) {
  struct stat status;
  if (fstat(file.get(), &status) != 0) fail(path, "a readable file", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail(path, "a regular file", "something else");
  const size_t file_bytes = static_cast<size_t>(status.st_size);
  if (offset > file_bytes || bytes > file_bytes - offset) {
    fail(path, "bytes " + std::to_string(offset) + " + " + std::to_string(bytes),
         "a file of " + std::to_string(file_bytes));
  }
}

}  // namespace

void check_file_range(const std::string& path, size_t offset, size_t bytes) {
  check_range(FileDescriptor(path), path, offset, bytes);
}

MappedFile::MappedFile(const std::string& path, size_t offset, size_t bytes) {
  const FileDescriptor file(path);
  check_range(file, path, offset, bytes);
  if (bytes == 0) return;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t lead = offset % page;
  mapped_bytes_ = bytes + lead;
  base_ = mmap(nullptr, mapped_bytes_, PROT_READ, MAP_PRIVATE, file.get(),
               static_cast<off_t>(offset - lead));
  if (base_ == MAP_FAILED) {
    base_ = nullptr;
    throw Error(kErrOutOfMemory, "mapFile",
                path + " expected " + std::to_string(mapped_bytes_) +
                    " bytes of address space, got " + std::strerror(errno));
  }
  data_ = static_cast<std::byte*>(base_) + lead;
}

MappedFile::~MappedFile() {
  if (base_ != nullptr) munmap(base_, mapped_bytes_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(data_, other.data_);
  return *this;
}

Buffer::Buffer(std::shared_ptr<Device> device, Block block, size_t bytes)
    : device_(std::move(device)),
      block_(block),
      data_(static_cast<std::byte*>(block.data)),
      bytes_(bytes) {}

Buffer::Buffer(std::shared_ptr<Device> device, Block charged, MappedFile file, size_t bytes)
    : device_(std::move(device)),
      block_(charged),
      file_(std::move(file)),
      data_(static_cast<std::byte*>(file_.data())),
      bytes_(bytes) {}

Buffer::~Buffer() { device_->release(block_, std::move(file_)); }

}  // namespace framepack
