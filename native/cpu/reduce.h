// Reductions on the CPU device.
#pragma once
#include "../../kernels/reduce/reduce_args.h"

namespace framepack::cpu {

struct CpuContext;

void reduce(const ReduceArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
