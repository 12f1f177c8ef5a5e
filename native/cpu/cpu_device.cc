#include "cpu_device.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>

#include "../core/error.h"
#include "attention.h"
#include "conv3d.h"
#include "copy.h"
#include "elementwise.h"
#include "gather.h"
#include "ggml.h"
#include "matmul.h"
#include "norm.h"
#include "patchify.h"
#include "reduce.h"
#include "rope.h"
#include "scan.h"

namespace framepack::cpu {
namespace {

IsaLevel choose_level(const std::string& limit) {
  return limit.empty() ? detect_isa_level() : isa_level_up_to(parse_isa_level(limit));
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t start = line.find(": ");
    if (start != std::string::npos) return line.substr(start + 2);
  }
  return "cpu";
}

}  // namespace

CpuDevice::CpuDevice(const CpuDeviceOptions& options)
    : level_(choose_level(options.isa)),
      pool_(options.threads > 0 ? options.threads : ThreadPool::default_size()),
      scratch_(pool_.size()),
      context_{pool_, scratch_, kernel_table(level_), vector_table(level_), level_},
      stream_(options.is_synchronous),
      memory_(stream_),
      allocator_(&memory_, options.budget_bytes) {
  stream_.enqueue("start", [this] { pool_.pin(0); });
}

CpuDevice::~CpuDevice() { shut_down(); }

DeviceDescription CpuDevice::describe() const {
  return {{"name", processor_name()},
          {"isa", name_of(level_)},
          {"threads", std::to_string(pool_.size())}};
}

std::unique_ptr<Buffer> CpuDevice::map_file(const std::string& path, size_t offset, size_t bytes) {
  MappedFile file(path, offset, bytes);
  const Block charged = allocator_.charge(bytes);
  return std::make_unique<Buffer>(shared_from_this(), charged, std::move(file), bytes);
}

void CpuDevice::unmap(MappedFile file) {
  stream_.enqueue("release", [owner = std::make_shared<MappedFile>(std::move(file))] {});
}

void CpuDevice::upload(void* target, std::shared_ptr<Transfer> source) {
  stream_.enqueue("upload", [target, source = std::move(source)] {
    if (const ErrorPtr error = source->wait()) throw Error(*error);
    if (source->bytes() > 0) std::memcpy(target, source->data(), source->bytes());
  });
}

void CpuDevice::download(const void* source, void* target, size_t bytes, Completion done) {
  if (bytes > 0) {
    stream_.enqueue("read", [source, target, bytes] { std::memcpy(target, source, bytes); });
  }
  stream_.complete(std::move(done));
}

bool CpuDevice::peek(const void* source, void* target, size_t bytes) {
  if (!stream_.has_settled()) return false;
  std::memcpy(target, source, bytes);
  return true;
}

void CpuDevice::cancel_work() {
  stream_.cancel();
  pool_.cancel();
}

void CpuDevice::stop_work() {
  cancel_work();
  stream_.stop();
}

template <typename Args>
void CpuDevice::enqueue(const char* op, void (*run)(const Args&, const CpuContext&),
                        const Args& args) {
  stream_.enqueue(op, [this, run, args] { run(args, context_); });
}

void CpuDevice::matmul(const MatmulArgs& args) { enqueue("matmul", cpu::matmul, args); }
void CpuDevice::attention(const AttentionArgs& args) { enqueue("attention", cpu::attention, args); }
void CpuDevice::layer_norm(const LayerNormArgs& args) {
  enqueue("layerNorm", cpu::layer_norm, args);
}
void CpuDevice::rms_norm(const RmsNormArgs& args) { enqueue("rmsNorm", cpu::rms_norm, args); }
void CpuDevice::group_norm(const GroupNormArgs& args) {
  enqueue("groupNorm", cpu::group_norm, args);
}
void CpuDevice::rope_table(const RopeTableArgs& args) {
  enqueue("ropeTable", cpu::rope_table, args);
}
void CpuDevice::rope_pool(const RopePoolArgs& args) { enqueue("ropePool", cpu::rope_pool, args); }
void CpuDevice::rope(const RopeArgs& args) { enqueue("rope", cpu::rope, args); }
void CpuDevice::conv3d(const Conv3dArgs& args) { enqueue("conv3d", cpu::conv3d, args); }
void CpuDevice::patchify(const PatchifyArgs& args) { enqueue("patchify", cpu::patchify, args); }
void CpuDevice::unpatchify(const UnpatchifyArgs& args) {
  enqueue("unpatchify", cpu::unpatchify, args);
}
void CpuDevice::elementwise(const ElementwiseArgs& args) {
  enqueue("elementwise", cpu::elementwise, args);
}
void CpuDevice::reduce(const ReduceArgs& args) { enqueue("reduce", cpu::reduce, args); }
void CpuDevice::copy(const CopyArgs& args) { enqueue("copy", cpu::copy, args); }
void CpuDevice::fill(const FillArgs& args) { enqueue("fill", cpu::fill, args); }
void CpuDevice::quantize(const QuantizeArgs& args) { enqueue("quantize", cpu::quantize, args); }
void CpuDevice::dequantize(const DequantizeArgs& args) {
  enqueue("dequantize", cpu::dequantize, args);
}
void CpuDevice::embedding(const EmbeddingArgs& args) { enqueue("embedding", cpu::embedding, args); }
void CpuDevice::upsample(const UpsampleArgs& args) { enqueue("upsample", cpu::upsample, args); }
void CpuDevice::indexed(const IndexedArgs& args) { enqueue("indexed", cpu::indexed, args); }
void CpuDevice::cumsum(const CumsumArgs& args) { enqueue("cumsum", cpu::cumsum, args); }
void CpuDevice::top_k(const TopKArgs& args) { enqueue("topK", cpu::top_k, args); }

void CpuDevice::dequantize_ggml(const DequantizeGgmlArgs& args) {
  enqueue("dequantizeGgml", cpu::dequantize_ggml, args);
}

}  // namespace framepack::cpu
