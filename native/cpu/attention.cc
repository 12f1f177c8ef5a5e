#include "attention.h"

#include "../../kernels/attention/attention_ref.h"

namespace framepack::cpu {

void attention(const AttentionArgs& args, const CpuContext&) { oracle::attention(args); }

}  // namespace framepack::cpu
