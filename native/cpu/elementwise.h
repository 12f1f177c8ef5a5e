// Elementwise operations on the CPU device.
#pragma once
#include "../../kernels/elementwise/elementwise_args.h"

namespace framepack::cpu {

struct CpuContext;

void elementwise(const ElementwiseArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
