// Device and pinned host memory, copies and fills.

#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "device_memory.h"
#include "diagnostics.h"
#include "driver/context.h"
#include "settings.h"

using namespace cudasim;

namespace {

// Page-locked host memory: copies from and to it are really asynchronous.
class PinnedMemory {
 public:
  static PinnedMemory& instance() {
    static PinnedMemory& memory = *new PinnedMemory;
    return memory;
  }

  bool add(const void* address, size_t bytes) {
    std::lock_guard lock(mutex_);
    return ranges_.emplace(reinterpret_cast<uintptr_t>(address), bytes).second;
  }
  bool remove(const void* address) {
    std::lock_guard lock(mutex_);
    return ranges_.erase(reinterpret_cast<uintptr_t>(address)) > 0;
  }
  bool contains(const void* address, size_t bytes) {
    std::lock_guard lock(mutex_);
    const auto at = reinterpret_cast<uintptr_t>(address);
    auto range = ranges_.upper_bound(at);
    if (range == ranges_.begin()) return false;
    --range;
    return at - range->first + bytes <= range->second;
  }

 private:
  std::mutex mutex_;
  std::map<uintptr_t, size_t> ranges_;
};

bool is_device_range(CUdeviceptr address, size_t bytes) {
  return DeviceMemory::instance().find(address).contains(address, bytes);
}

CUresult refuse_range(const char* function, CUdeviceptr address, size_t bytes) {
  return refuse(CUDA_ERROR_INVALID_VALUE, function,
                std::to_string(bytes) + " bytes at " + DeviceMemory::instance().describe(address));
}

// The range was valid when the operation was queued; it may have been freed since.
bool check_still_there(const char* operation, CUdeviceptr address, size_t bytes) {
  if (is_device_range(address, bytes)) return true;
  DiagnosticLog::instance().add(std::string(operation) + " runs after its memory was freed: " +
                                DeviceMemory::instance().describe(address));
  return false;
}

CUresult upload(CUdeviceptr to, const void* from, size_t bytes) {
  if (!check_still_there("cuMemcpyHtoD", to, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
  std::memcpy(DeviceMemory::instance().bytes_at(to), from, bytes);
  DeviceMemory::instance().mark_initialised(to, bytes);
  return CUDA_SUCCESS;
}

CUresult download(void* to, CUdeviceptr from, size_t bytes) {
  if (!check_still_there("cuMemcpyDtoH", from, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
  std::memcpy(to, DeviceMemory::instance().bytes_at(from), bytes);
  return CUDA_SUCCESS;
}

CUresult copy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  if (!check_still_there("cuMemcpyDtoD", to, bytes) ||
      !check_still_there("cuMemcpyDtoD", from, bytes)) {
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  }
  DeviceMemory& memory = DeviceMemory::instance();
  std::memmove(memory.bytes_at(to), memory.bytes_at(from), bytes);
  if (settings().check) std::memmove(memory.initialised_at(to), memory.initialised_at(from), bytes);
  return CUDA_SUCCESS;
}

// What an asynchronous call needs before it can queue: a context, a stream and nothing sticky.
struct Target {
  CUresult error;
  std::shared_ptr<Stream> stream;

  explicit Target(CUstream handle)
      : error(check_context()), stream(StreamEngine::instance().stream(handle)) {
    if (error == CUDA_SUCCESS && !stream) error = CUDA_ERROR_INVALID_HANDLE;
  }
  CUresult enqueue(std::function<CUresult()> run) const {
    Operation operation;
    operation.run = std::move(run);
    return StreamEngine::instance().enqueue(stream, std::move(operation));
  }
};

template <typename T>
CUresult fill(const char* function, CUdeviceptr to, T value, size_t count, CUstream handle) {
  const Target target(handle);
  if (target.error) return target.error;
  if (count == 0) return CUDA_SUCCESS;
  if (to % sizeof(T) || !is_device_range(to, count * sizeof(T))) {
    return refuse_range(function, to, count * sizeof(T));
  }
  return target.enqueue([to, value, count]() -> CUresult {
    if (!check_still_there("cuMemset", to, count * sizeof(T))) return CUDA_ERROR_ILLEGAL_ADDRESS;
    DeviceMemory& memory = DeviceMemory::instance();
    T* elements = reinterpret_cast<T*>(memory.bytes_at(to));
    std::fill_n(elements, count, value);
    memory.mark_initialised(to, count * sizeof(T));
    return CUDA_SUCCESS;
  });
}

}  // namespace

CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  if (const CUresult error = check_context()) return error;
  if (!address || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  *address = DeviceMemory::instance().allocate(bytes);
  return *address ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  if (address == 0) return CUDA_SUCCESS;
  // Like the hardware driver, freeing waits for the device. It must also work after a kernel has
  // failed.
  const CUresult status = StreamEngine::instance().synchronise_all();
  if (!DeviceMemory::instance().release(address)) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemFree",
                  "not the start of an allocation: " + DeviceMemory::instance().describe(address));
  }
  return status;
}

CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  if (const CUresult error = check_context()) return error;
  if (!address || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  *address = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!*address) return CUDA_ERROR_OUT_OF_MEMORY;
  PinnedMemory::instance().add(*address, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemAllocHost_v2(void** address, size_t bytes) {
  return cuMemHostAlloc(address, bytes, 0);
}

CUresult cuMemFreeHost(void* address) {
  const CUresult status = StreamEngine::instance().synchronise_all();
  if (!PinnedMemory::instance().remove(address)) return CUDA_ERROR_INVALID_VALUE;
  std::free(address);
  return status;
}

CUresult cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
  if (const CUresult error = check_context()) return error;
  return PinnedMemory::instance().add(address, bytes) ? CUDA_SUCCESS
                                                      : CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
}

CUresult cuMemHostUnregister(void* address) {
  const CUresult status = StreamEngine::instance().synchronise_all();
  return PinnedMemory::instance().remove(address) ? status : CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
}

CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  if (const CUresult error = check_context()) return error;
  const size_t limit = settings().memory_limit, used = DeviceMemory::instance().used_bytes();
  *total_bytes = limit;
  *free_bytes = used < limit ? limit - used : 0;
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream handle) {
  const Target target(handle);
  if (target.error || bytes == 0) return target.error;
  if (!is_device_range(to, bytes)) return refuse_range("cuMemcpyHtoDAsync", to, bytes);
  if (PinnedMemory::instance().contains(from, bytes)) {
    // Read when the copy runs, so a host that overwrites the buffer too early is caught.
    Operation operation;
    operation.run = [to, from, bytes] { return upload(to, from, bytes); };
    operation.host_source = from;
    operation.host_source_bytes = bytes;
    return StreamEngine::instance().enqueue(target.stream, std::move(operation));
  }
  const auto* begin = static_cast<const uint8_t*>(from);
  return target.enqueue([to, staged = std::vector<uint8_t>(begin, begin + bytes)] {
    return upload(to, staged.data(), staged.size());
  });
}

CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream handle) {
  const Target target(handle);
  if (target.error || bytes == 0) return target.error;
  if (!is_device_range(from, bytes)) return refuse_range("cuMemcpyDtoHAsync", from, bytes);
  const bool is_pinned = PinnedMemory::instance().contains(to, bytes);
  // Until the host synchronises the contents are undefined: make that visible.
  if (is_pinned && !StreamEngine::instance().is_host_source(to, bytes))
    std::memset(to, 0xff, bytes);
  const CUresult error = target.enqueue([to, from, bytes] { return download(to, from, bytes); });
  // A copy to pageable memory has finished when the call returns.
  return error || is_pinned ? error : StreamEngine::instance().synchronise(target.stream);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream handle) {
  const Target target(handle);
  if (target.error || bytes == 0) return target.error;
  if (!is_device_range(to, bytes)) return refuse_range("cuMemcpyDtoDAsync", to, bytes);
  if (!is_device_range(from, bytes)) return refuse_range("cuMemcpyDtoDAsync", from, bytes);
  return target.enqueue([to, from, bytes] { return copy(to, from, bytes); });
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  const CUresult error = cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr);
  return error ? error : cuStreamSynchronize(nullptr);
}

CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  const CUresult error = cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr);
  return error ? error : cuStreamSynchronize(nullptr);
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return cuMemcpyDtoDAsync_v2(to, from, bytes, nullptr);
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
  return fill("cuMemsetD8Async", to, value, count, stream);
}

CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
  return fill("cuMemsetD16Async", to, value, count, stream);
}

CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
  return fill("cuMemsetD32Async", to, value, count, stream);
}
