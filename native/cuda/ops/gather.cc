#include "../../../kernels/gather/gather_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::embedding(const EmbeddingArgs& args) {
  require_float("embedding", "table", args.table_dtype);
  require_float("embedding", "out", args.out_dtype);
  launch("embedding", plan_embedding(args, traits()), args);
}

void CudaDevice::upsample(const UpsampleArgs& args) {
  require_float("upsample", "x", args.dtype);
  launch("upsample", plan_upsample(args, traits()), args);
}

void CudaDevice::indexed(const IndexedArgs& call) {
  IndexedArgs args = call;
  const Launch plan = plan_indexed(args, traits());
  launch("indexed", plan, args);
}

}  // namespace framepack::cuda
