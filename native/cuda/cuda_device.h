// The CUDA device: kernels of framepack.fatbin, through NVIDIA's driver or the virtual one.
//
// The methods of the operations are defined in ops/<family>.cc. Each chooses a kernel through the plan
// function of kernels/<family>/<family>_config.h and queues it.
#pragma once
#include <memory>
#include <string>

#include "../core/device.h"
#include "command_queue.h"
#include "context.h"
#include "device_memory.h"
#include "module.h"

namespace framepack::cuda {

struct CudaDeviceOptions {
  std::string driver;  // library; empty: the system's
  int ordinal = 0;
  size_t budget_bytes = Allocator::kNoBudget;
  bool is_synchronous = false;  // see CommandQueue
};

class CudaDevice final : public Device {
 public:
  // Throws ERR_CUDA_DRIVER, ERR_NATIVE_LOAD, ERR_ARGUMENT, ERR_DEVICE_LOST or ERR_OUT_OF_MEMORY.
  explicit CudaDevice(const CudaDeviceOptions& options);
  ~CudaDevice() override;

  const char* kind() const override { return "cuda"; }
  DeviceDescription describe() const override;

  // A copy on the GPU; errors while the file is read reach the next wait.
  std::unique_ptr<Buffer> map_file(const std::string& path, size_t offset, size_t bytes) override;
  void upload(void* target, std::shared_ptr<Transfer> source) override;
  void download(const void* source, void* target, size_t bytes, Completion done) override;
  void fence(Completion done) override { queue_->fence(std::move(done)); }
  void acknowledge(const ErrorPtr& error) override;

  void matmul(const MatmulArgs& args) override;
  void attention(const AttentionArgs& args) override;
  void layer_norm(const LayerNormArgs& args) override;
  void rms_norm(const RmsNormArgs& args) override;
  void group_norm(const GroupNormArgs& args) override;
  void rope_table(const RopeTableArgs& args) override;
  void rope_pool(const RopePoolArgs& args) override;
  void rope(const RopeArgs& args) override;
  void conv3d(const Conv3dArgs& args) override;
  void patchify(const PatchifyArgs& args) override;
  void unpatchify(const UnpatchifyArgs& args) override;
  void elementwise(const ElementwiseArgs& args) override;
  void reduce(const ReduceArgs& args) override;
  void copy(const CopyArgs& args) override;
  void fill(const FillArgs& args) override;
  void quantize(const QuantizeArgs& args) override;
  void dequantize(const DequantizeArgs& args) override;
  void embedding(const EmbeddingArgs& args) override;
  void upsample(const UpsampleArgs& args) override;
  void indexed(const IndexedArgs& args) override;
  void cumsum(const CumsumArgs& args) override;
  void top_k(const TopKArgs& args) override;
  void dequantize_ggml(const DequantizeGgmlArgs& args) override;

 protected:
  Allocator& allocator() override { return allocator_; }
  void unmap(MappedFile) override {}  // nothing is ever mapped
  void cancel_work() override { queue_->cancel(); }
  void stop_work() override;

 private:
  // Queues a kernel, unless the plan says that there is nothing to do.
  template <typename Args>
  void launch(const char* op, const Launch& plan, const Args& args);
  // Throws ERR_UNSUPPORTED for anything but f32, f16 and bf16.
  static void require_float(const char* op, const char* argument, DType dtype);
  // Memory of at least `bytes` for the operation queued next. One block serves all operations, because
  // they run one after the other; it grows to the largest request and is not part of memory().
  void* workspace(const char* op, size_t bytes);

  const DeviceTraits& traits() const { return context_->traits(); }

  // Reset when the device shuts down, in the reverse order, although handles may keep it alive.
  std::unique_ptr<Context> context_;
  std::unique_ptr<Module> module_;
  std::unique_ptr<CommandQueue> queue_;
  const Driver& driver_;
  const DeviceDescription description_;
  DeviceMemory memory_;
  Allocator allocator_;
  void* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
};

template <typename Args>
void CudaDevice::launch(const char* op, const Launch& plan, const Args& args) {
  if (plan.grid[0] == 0 || plan.grid[1] == 0 || plan.grid[2] == 0) return;
  queue_->enqueue(op, [this, op, plan, args](StreamHandle stream) {
    module_->launch(op, plan, &args, stream);
  });
}

}  // namespace framepack::cuda
