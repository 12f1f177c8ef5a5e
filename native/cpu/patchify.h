// Patch embedding and its inverse layout on the CPU device.
#pragma once
#include "../../kernels/patchify/patchify_args.h"

namespace framepack::cpu {

struct CpuContext;

void patchify(const PatchifyArgs& args, const CpuContext& context);
void unpatchify(const UnpatchifyArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
