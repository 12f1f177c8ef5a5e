#include "gather.h"

#include "../../kernels/gather/gather_ref.h"

namespace framepack::cpu {

void embedding(const EmbeddingArgs& args, const CpuContext&) { oracle::embedding(args); }
void upsample(const UpsampleArgs& args, const CpuContext&) { oracle::upsample(args); }

}  // namespace framepack::cpu
