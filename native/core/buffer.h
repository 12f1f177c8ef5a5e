// Device memory with an owner in JavaScript.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "allocator.h"

namespace framepack {

class Device;

// A range of a file, mapped read-only and shared with the page cache.
//
// The size of the file is checked when it is mapped. A file that somebody truncates afterwards
// raises SIGBUS at the first access beyond its new end, as with every memory map; weights are files
// that are replaced by renaming, not by truncating.
class MappedFile {
 public:
  MappedFile() = default;
  // Throws ERR_ARGUMENT when the file cannot be read or does not hold [offset, offset + bytes).
  MappedFile(const std::string& path, size_t offset, size_t bytes);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  void* data() const { return data_; }

 private:
  void* base_ = nullptr;  // page-aligned
  size_t mapped_bytes_ = 0;
  void* data_ = nullptr;
};

// Throws ERR_ARGUMENT unless the file is a regular, readable file that holds the range.
void check_file_range(const std::string& path, size_t offset, size_t bytes);

// Allocated memory, or a mapped file. Lives and dies on the thread that owns the device; work that
// is queued on the device may still use the memory after the Buffer is gone.
class Buffer {
 public:
  Buffer(std::shared_ptr<Device> device, Block block, size_t bytes);
  Buffer(std::shared_ptr<Device> device, Block charged, MappedFile file, size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  Device& device() const { return *device_; }
  std::byte* data() const { return data_; }  // null on the meta device
  size_t bytes() const { return bytes_; }    // usable
  bool is_read_only() const { return file_.data() != nullptr; }

 private:
  std::shared_ptr<Device> device_;
  Block block_;
  MappedFile file_;
  std::byte* data_;
  size_t bytes_;
};

}  // namespace framepack
