#include "ggml.h"

#include "../../kernels/ggml/ggml_ref.h"
#include "rows.h"

namespace framepack::cpu {

// Weights are unpacked once, when they are loaded, and mostly wait for the disk: the blocks are taken apart by the
// plain loops of the oracle, on all threads.
void dequantize_ggml(const DequantizeGgmlArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::dequantize_ggml(args);
  const GgmlBlock size = ggml_block(args.type);
  const auto* blocks = static_cast<const uint8_t*>(args.blocks);
  const auto body = [&](long long begin, long long end, int) {
    alignas(64) float room[256];
    for (long long block = begin; block < end; ++block) {
      const long long at = block * size.elements;
      float* out = f32_target(args.out, args.dtype, at, room);
      oracle::dequantize_ggml_block(args.type, blocks + block * size.bytes, out);
      finish_row(*context.vector, out, args.out, args.dtype, at, size.elements);
    }
  };
  parallel_ranges(context.pool, args.count / size.elements, kGrain / size.elements, body);
}

}  // namespace framepack::cpu
