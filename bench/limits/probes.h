// What a processor can do at most: loops over registers and streams over memory, one unit for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace framepack::limits {

// A loop over registers. `run` performs `steps` iterations of `flops_per_step` floating-point operations each.
struct RegisterProbe {
  const char* name;
  const char* isa;
  const char* dtype;
  double flops_per_step;
  bool (*available)();
  void (*run)(int64_t steps);
};

// Reads `bytes` bytes (a multiple of 256, aligned to 64) `passes` times.
using ReadLoop = void (*)(const std::byte* data, size_t bytes, int64_t passes);

// A unit that its compiler or target processor lacks is not linked.
extern const RegisterProbe kFmaAvx2;
extern const RegisterProbe kFmaAvx512;
extern const RegisterProbe kDotAvx512Bf16;
extern const RegisterProbe kFmaAvx512Fp16;
extern const RegisterProbe kTilesAmx;

void read_portable(const std::byte* data, size_t bytes, int64_t passes);
void read_avx2(const std::byte* data, size_t bytes, int64_t passes);
void read_avx512(const std::byte* data, size_t bytes, int64_t passes);

}  // namespace framepack::limits

// Makes the compiler believe that a vector register is used.
#define FRAMEPACK_KEEP(vector) asm volatile("" : : "x"(vector))
