// A kernel launch: what to run, and the threads that run its blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "diagnostics.h"
#include "exec/program.h"

namespace cudasim {

class KernelProfile;

struct Launch {
  std::shared_ptr<const Program> program;
  Dim3 grid, block;
  uint32_t dynamic_shared_bytes = 0;
  std::vector<uint8_t> parameters;
  uint32_t id = 0;  // never 0; unique among the launches that the race shadow remembers

  uint32_t threads() const { return static_cast<uint32_t>(block.count()); }
  uint32_t warps() const { return (threads() + 31) / 32; }
  uint32_t shared_bytes() const { return program->static_shared_bytes + dynamic_shared_bytes; }
};

/** Runs all blocks of the launch, over Settings::threads threads, and returns when they are done.
 */
Fault run_launch(Launch launch);

}  // namespace cudasim
