// The block formats of ggml on the CPU device.
#pragma once
#include "../../kernels/ggml/ggml_args.h"

namespace framepack::cpu {

struct CpuContext;

void dequantize_ggml(const DequantizeGgmlArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
