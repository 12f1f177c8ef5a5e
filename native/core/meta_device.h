// A device that counts memory and computes nothing: shapes and budgets of the full-size model in
// milliseconds. Its buffers have no data, and downloads fail.
#pragma once
#include "device.h"

namespace framepack {

class MetaDevice final : public Device {
 public:
  explicit MetaDevice(size_t budget_bytes) : allocator_(nullptr, budget_bytes) {}

  const char* kind() const override { return "meta"; }
  DeviceDescription describe() const override { return {{"name", "meta"}}; }

  std::unique_ptr<Buffer> map_file(const std::string& path, size_t offset, size_t bytes) override;
  void upload(void*, std::shared_ptr<Transfer>) override {}
  void download(const void*, void*, size_t, Completion) override;
  void fence(Completion done) override { done(nullptr); }
  void acknowledge(const ErrorPtr&) override {}

  void matmul(const MatmulArgs&) override {}
  void attention(const AttentionArgs&) override {}
  void layer_norm(const LayerNormArgs&) override {}
  void rms_norm(const RmsNormArgs&) override {}
  void group_norm(const GroupNormArgs&) override {}
  void rope_table(const RopeTableArgs&) override {}
  void rope_pool(const RopePoolArgs&) override {}
  void rope(const RopeArgs&) override {}
  void conv3d(const Conv3dArgs&) override {}
  void patchify(const PatchifyArgs&) override {}
  void unpatchify(const UnpatchifyArgs&) override {}
  void elementwise(const ElementwiseArgs&) override {}
  void reduce(const ReduceArgs&) override {}
  void copy(const CopyArgs&) override {}
  void fill(const FillArgs&) override {}
  void quantize(const QuantizeArgs&) override {}
  void dequantize(const DequantizeArgs&) override {}
  void embedding(const EmbeddingArgs&) override {}
  void upsample(const UpsampleArgs&) override {}
  void indexed(const IndexedArgs&) override {}
  void cumsum(const CumsumArgs&) override {}
  void top_k(const TopKArgs&) override {}
  void dequantize_ggml(const DequantizeGgmlArgs&) override {}

 protected:
  Allocator& allocator() override { return allocator_; }
  void unmap(MappedFile) override {}
  void cancel_work() override {}
  void stop_work() override {}

 private:
  Allocator allocator_;
};

}  // namespace framepack
