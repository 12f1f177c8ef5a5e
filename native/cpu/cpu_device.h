// The CPU device: one worker runs operations in order and shares each of them with a thread pool.
#pragma once
#include <string>

#include "../core/device.h"
#include "../core/thread_pool.h"
#include "cpu_context.h"
#include "host_memory.h"

namespace framepack::cpu {

struct CpuDeviceOptions {
  int threads = 0;  // 0: ThreadPool::default_size()
  std::string isa;  // upper limit; empty: none
  size_t budget_bytes = Allocator::kNoBudget;
  bool is_synchronous = false;  // see Stream
};

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const CpuDeviceOptions& options);
  ~CpuDevice() override;

  const char* kind() const override { return "cpu"; }
  DeviceDescription describe() const override;

  std::unique_ptr<Buffer> map_file(const std::string& path, size_t offset, size_t bytes) override;
  void upload(void* target, std::shared_ptr<Transfer> source) override;
  void download(const void* source, void* target, size_t bytes, Completion done) override;
  bool peek(const void* source, void* target, size_t bytes) override;
  void fence(Completion done) override { stream_.complete(std::move(done)); }
  void acknowledge(const ErrorPtr& error) override { stream_.acknowledge(error); }

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
  void unmap(MappedFile file) override;
  void cancel_work() override;
  void stop_work() override;

 private:
  template <typename Args>
  void enqueue(const char* op, void (*run)(const Args&, const CpuContext&), const Args& args);

  IsaLevel level_;
  ThreadPool pool_;
  Scratch scratch_;
  CpuContext context_;
  Stream stream_;
  HostMemory memory_;
  Allocator allocator_;
};

}  // namespace framepack::cpu
