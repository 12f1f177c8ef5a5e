// What an operation of the CPU device may use while it runs. One operation runs at a time (the
// device's stream is in order), so the scratch memory has one owner at any moment.
#pragma once
#include "../core/thread_pool.h"
#include "dispatch.h"
#include "scratch.h"

namespace framepack::cpu {

struct CpuContext {
  ThreadPool& pool;
  Scratch& scratch;
  const isa::KernelTable* kernels;  // null at level scalar: the oracles run
  const isa::VectorTable* vector;   // null at level scalar
  IsaLevel level;
};

}  // namespace framepack::cpu
