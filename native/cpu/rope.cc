#include "rope.h"

#include "../../kernels/rope/rope_ref.h"

namespace framepack::cpu {

void rope_table(const RopeTableArgs& args, const CpuContext&) { oracle::rope_table(args); }
void rope_pool(const RopePoolArgs& args, const CpuContext&) { oracle::rope_pool(args); }
void rope(const RopeArgs& args, const CpuContext&) { oracle::rope(args); }

}  // namespace framepack::cpu
