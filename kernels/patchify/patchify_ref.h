// Oracles of patchify and unpatchify, also the CPU device at level scalar.
#pragma once
#include "patchify_args.h"

namespace framepack::oracle {

void patchify(const PatchifyArgs& args);
void unpatchify(const UnpatchifyArgs& args);

}  // namespace framepack::oracle
