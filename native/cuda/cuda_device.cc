#include "cuda_device.h"

#include <algorithm>
#include <utility>

namespace framepack::cuda {
namespace {

constexpr size_t kMinWorkspaceBytes = size_t{1} << 20;

DeviceDescription describe_context(const Context& context) {
  return {{"name", context.name()},
          {"architecture", "sm_" + std::to_string(context.traits().sm)},
          {"driver", context.driver_version()}};
}

// What all programs together leave free, and what the GPU has.
bool read_memory(const Context& context, size_t& free_bytes, size_t& total_bytes) {
  const Context::Scope scope(context);
  return context.driver().memory_get_info(&free_bytes, &total_bytes) == 0;
}

}  // namespace

CudaDevice::CudaDevice(const CudaDeviceOptions& options)
    : context_(std::make_unique<Context>(options.driver, options.ordinal)),
      module_(std::make_unique<Module>(*context_)),
      queue_(std::make_unique<CommandQueue>(*context_, options.is_synchronous)),
      driver_(context_->driver()),
      description_(describe_context(*context_)),
      memory_(*context_, *queue_),
      allocator_(&memory_, options.budget_bytes) {}

CudaDevice::~CudaDevice() { shut_down(); }

DeviceDescription CudaDevice::describe() const {
  DeviceDescription facts = description_;
  size_t free_bytes = 0, total_bytes = 0;
  if (context_ && read_memory(*context_, free_bytes, total_bytes)) {
    facts.emplace_back("freeBytes", std::to_string(free_bytes));
    facts.emplace_back("totalBytes", std::to_string(total_bytes));
  }
  if (driver_.diagnostic_count != nullptr) {
    facts.emplace_back("diagnostics", std::to_string(driver_.diagnostic_count()));
  }
  return facts;
}

std::unique_ptr<Buffer> CudaDevice::map_file(const std::string& path, size_t offset, size_t bytes) {
  check_file_range(path, offset, bytes);
  std::unique_ptr<Buffer> buffer = allocate(bytes);
  if (bytes > 0) queue_->upload_file(buffer->data(), path, offset, bytes);
  return buffer;
}

void CudaDevice::upload(void* target, std::shared_ptr<Transfer> source) {
  queue_->upload(target, std::move(source));
}

void CudaDevice::download(const void* source, void* target, size_t bytes, Completion done) {
  queue_->download(source, target, bytes, std::move(done));
}

// The wait that closes a device ends after it was shut down.
void CudaDevice::acknowledge(const ErrorPtr& error) {
  if (queue_) queue_->acknowledge(error);
}

void CudaDevice::stop_work() {
  queue_->stop();
  allocator_.release_all();
  if (workspace_ != nullptr) memory_.release(workspace_);
  queue_.reset();
  module_.reset();
  context_.reset();
}

void CudaDevice::require_float(const char* op, const char* argument, DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBf16) return;
  constexpr const char* kNames[] = {"f32", "f16", "bf16", "f8e4m3", "i32", "u8"};
  throw Error(
      kErrUnsupported, op,
      std::string(argument) + " expected f32, f16 or bf16, got " + kNames[static_cast<int>(dtype)]);
}

void* CudaDevice::workspace(const char* op, size_t bytes) {
  if (bytes <= workspace_bytes_) return workspace_;
  if (workspace_ != nullptr) memory_.release(std::exchange(workspace_, nullptr));
  workspace_bytes_ = 0;
  const size_t wanted = std::max(bytes, kMinWorkspaceBytes);
  void* block = memory_.allocate(wanted);
  if (block == nullptr) {
    allocator_.trim();
    memory_.drain();
    block = memory_.allocate(wanted);
  }
  if (block == nullptr) {
    throw Error(
        kErrOutOfMemory, op,
        "workspace expected " + std::to_string(wanted) + " free bytes on the GPU, got none");
  }
  workspace_ = block;
  workspace_bytes_ = wanted;
  return workspace_;
}

}  // namespace framepack::cuda
