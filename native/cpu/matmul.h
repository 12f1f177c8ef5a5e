// Matrix product with fused epilogue on the CPU device.
#pragma once
#include "../../kernels/matmul/matmul_args.h"

namespace framepack::cpu {

struct CpuContext;

void matmul(const MatmulArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
