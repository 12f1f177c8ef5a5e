#include "patchify.h"

#include "../../kernels/patchify/patchify_ref.h"

namespace framepack::cpu {

void patchify(const PatchifyArgs& args, const CpuContext&) { oracle::patchify(args); }
void unpatchify(const UnpatchifyArgs& args, const CpuContext&) { oracle::unpatchify(args); }

}  // namespace framepack::cpu
