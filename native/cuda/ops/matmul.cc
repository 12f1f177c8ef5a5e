#include <algorithm>

#include "../../../kernels/matmul/matmul_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

namespace {

// Products [first, first + count) of a batch.
MatmulArgs part_of(const MatmulArgs& args, long long first, long long count) {
  MatmulArgs part = args;
  part.batch = count;
  part.a = static_cast<const char*>(args.a) + first * args.a_batch_stride * size_of(args.a_dtype);
  part.w = static_cast<const char*>(args.w) + first * args.w_batch_stride * size_of(args.w_dtype);
  part.out = static_cast<char*>(args.out) + first * args.out_batch_stride * size_of(args.out_dtype);
  return part;
}

}  // namespace

void CudaDevice::matmul(const MatmulArgs& args) {
  require_float("matmul", "a", args.a_dtype);
  if (args.w_dtype != DType::kF8E4M3) require_float("matmul", "weight", args.w_dtype);
  require_float("matmul", "out", args.out_dtype);
  for (long long first = 0; first < args.batch; first += kMatmulMaxBatch) {
    const MatmulArgs part = part_of(args, first, std::min(kMatmulMaxBatch, args.batch - first));
    launch("matmul", plan_matmul(part, traits()), part);
  }
}

}  // namespace framepack::cuda
