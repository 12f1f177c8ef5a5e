// Rotary embedding on the CPU device.
#pragma once
#include "../../kernels/rope/rope_args.h"

namespace framepack::cpu {

struct CpuContext;

void rope_table(const RopeTableArgs& args, const CpuContext& context);
void rope_pool(const RopePoolArgs& args, const CpuContext& context);
void rope(const RopeArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
