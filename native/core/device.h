// What a device can do. Every call comes from the thread that opened the device, enqueues its work
// on one in-order stream and returns at once; callers have checked shapes, types and bounds.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../../kernels/attention/attention_args.h"
#include "../../kernels/conv3d/conv3d_args.h"
#include "../../kernels/copy/copy_args.h"
#include "../../kernels/elementwise/elementwise_args.h"
#include "../../kernels/gather/gather_args.h"
#include "../../kernels/ggml/ggml_args.h"
#include "../../kernels/matmul/matmul_args.h"
#include "../../kernels/norm/norm_args.h"
#include "../../kernels/patchify/patchify_args.h"
#include "../../kernels/reduce/reduce_args.h"
#include "../../kernels/rope/rope_args.h"
#include "../../kernels/scan/scan_args.h"
#include "allocator.h"
#include "buffer.h"
#include "stream.h"
#include "transfer.h"

namespace framepack {

// Facts for people and logs: {"name", "..."}, {"isa", "amx"}, {"threads", "2"} ...
using DeviceDescription = std::vector<std::pair<std::string, std::string>>;

class Device : public std::enable_shared_from_this<Device> {
 public:
  virtual ~Device() = default;

  virtual const char* kind() const = 0;  // "cpu", "cuda", "meta"
  virtual DeviceDescription describe() const = 0;

  // --- memory

  std::unique_ptr<Buffer> allocate(size_t bytes);
  MemoryStats memory() { return allocator().stats(); }
  void reset_peak() { allocator().reset_peak(); }

  // The bytes [offset, offset + bytes) of a file as a read-only buffer, counted like allocated
  // memory.
  virtual std::unique_ptr<Buffer> map_file(const std::string& path, size_t offset,
                                           size_t bytes) = 0;

  // Called by ~Buffer. The memory may be in use by queued work; a mapped file is unmapped behind
  // it.
  void release(const Block& block, MappedFile file);

  // target[0 .. source->bytes()) = *source, which may still be on its way.
  virtual void upload(void* target, std::shared_ptr<Transfer> source) = 0;
  // Copies to host memory that stays valid until `done` was called or the device has shut down.
  virtual void download(const void* source, void* target, size_t bytes, Completion done) = 0;

  // Copies to host memory at once when nothing has to be waited for; else returns false.
  virtual bool peek(const void* source, void* target, size_t bytes);

  // --- order

  // `done` runs when everything enqueued so far has finished, with the first error among it.
  virtual void fence(Completion done) = 0;
  // The error reached the caller; later fences report only what fails later.
  virtual void acknowledge(const ErrorPtr& error) = 0;

  bool is_closed() const { return is_closed_; }
  // Throws ERR_DISPOSED for a closed device.
  void check_open(const char* op) const;
  // No more work from outside. What is queued still runs.
  void close() { is_closed_ = true; }
  // Closes, asks running work to end early and throws queued work away; returns at once.
  void cancel();
  // Cancels, waits for the running work, ends every thread and frees all memory, live buffers too.
  void shut_down();

  // --- operations, as kernels/<op>/<op>_args.h specifies them

  virtual void matmul(const MatmulArgs& args) = 0;
  virtual void attention(const AttentionArgs& args) = 0;
  virtual void layer_norm(const LayerNormArgs& args) = 0;
  virtual void rms_norm(const RmsNormArgs& args) = 0;
  virtual void group_norm(const GroupNormArgs& args) = 0;
  virtual void rope_table(const RopeTableArgs& args) = 0;
  virtual void rope_pool(const RopePoolArgs& args) = 0;
  virtual void rope(const RopeArgs& args) = 0;
  virtual void conv3d(const Conv3dArgs& args) = 0;
  virtual void patchify(const PatchifyArgs& args) = 0;
  virtual void unpatchify(const UnpatchifyArgs& args) = 0;
  virtual void elementwise(const ElementwiseArgs& args) = 0;
  virtual void reduce(const ReduceArgs& args) = 0;
  virtual void copy(const CopyArgs& args) = 0;
  virtual void fill(const FillArgs& args) = 0;
  virtual void quantize(const QuantizeArgs& args) = 0;
  virtual void dequantize(const DequantizeArgs& args) = 0;
  virtual void embedding(const EmbeddingArgs& args) = 0;
  virtual void upsample(const UpsampleArgs& args) = 0;
  virtual void indexed(const IndexedArgs& args) = 0;
  virtual void cumsum(const CumsumArgs& args) = 0;
  virtual void top_k(const TopKArgs& args) = 0;
  virtual void dequantize_ggml(const DequantizeGgmlArgs& args) = 0;

 protected:
  virtual Allocator& allocator() = 0;
  // Unmaps behind the queued work.
  virtual void unmap(MappedFile file) = 0;
  virtual void cancel_work() = 0;
  // Cancels and joins. Called once; afterwards the memory source releases at once.
  virtual void stop_work() = 0;

 private:
  bool is_closed_ = false;
  bool is_shut_down_ = false;
};

}  // namespace framepack
