// Gathers on the CPU device.
#pragma once
#include "../../kernels/gather/gather_args.h"

namespace framepack::cpu {

struct CpuContext;

void embedding(const EmbeddingArgs& args, const CpuContext& context);
void upsample(const UpsampleArgs& args, const CpuContext& context);
void indexed(const IndexedArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
