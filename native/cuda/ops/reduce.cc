#include "../../../kernels/reduce/reduce_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::reduce(const ReduceArgs& call) {
  require_float("reduce", "x", call.dtype);
  require_float("reduce", "out", call.out_dtype);
  ReduceArgs args = call;
  args.workspace = workspace("reduce", static_cast<size_t>(reduce_workspace_bytes(args)));
  for (const Launch& step : plan_reduce(args, traits())) launch("reduce", step, args);
}

}  // namespace framepack::cuda
