// Operations that walk one axis, on the CPU device.
#pragma once
#include "../../kernels/scan/scan_args.h"

namespace framepack::cpu {

struct CpuContext;

void cumsum(const CumsumArgs& args, const CpuContext& context);
void top_k(const TopKArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
