// Softmax attention on the CPU device.
#pragma once
#include "../../kernels/attention/attention_args.h"

namespace framepack::cpu {

struct CpuContext;

void attention(const AttentionArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
