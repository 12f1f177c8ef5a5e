#include "../../../kernels/elementwise/elementwise_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::elementwise(const ElementwiseArgs& call) {
  require_float("elementwise", "a", call.a_dtype);
  require_float("elementwise", "b", call.b_dtype);
  if (call.c_dtype != DType::kU8) require_float("elementwise", "c", call.c_dtype);
  if (call.out_dtype != DType::kU8) require_float("elementwise", "out", call.out_dtype);
  ElementwiseArgs args = call;
  const Launch plan = plan_elementwise(args, traits());
  launch("elementwise", plan, args);
}

}  // namespace framepack::cuda
