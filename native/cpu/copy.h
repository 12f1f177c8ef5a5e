// Copies, fills and the fp8 quantiser on the CPU device.
#pragma once
#include "../../kernels/copy/copy_args.h"

namespace framepack::cpu {

struct CpuContext;

void copy(const CopyArgs& args, const CpuContext& context);
void fill(const FillArgs& args, const CpuContext& context);
void quantize(const QuantizeArgs& args, const CpuContext& context);
void dequantize(const DequantizeArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
