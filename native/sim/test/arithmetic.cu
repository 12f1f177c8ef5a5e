#include "arithmetic.h"

extern "C" __global__ void integer_kernel(const IntegerInput* inputs, Results* results, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count) return;
  Results r;
  r.count = 0;
  integer_results(inputs[i], r);
  for (int k = 0; k < r.count; ++k) results[i].value[k] = r.value[k];
  results[i].count = r.count;
}

extern "C" __global__ void float_kernel(const FloatInput* inputs, Results* results, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count) return;
  Results r;
  r.count = 0;
  float_results(inputs[i], r);
  for (int k = 0; k < r.count; ++k) results[i].value[k] = r.value[k];
  results[i].count = r.count;
}

// Functions whose last bits are not specified:
// [sin cos exp log tanh rsqrt erf pow sin' exp' log' tanh'], ' for the approximate ones.
extern "C" __global__ void function_kernel(const float* inputs, float* results, int count) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const float x = inputs[i];
  float* r = results + 12 * i;
  r[0] = sinf(x * 1000.0f);
  r[1] = cosf(x);
  r[2] = expf(x);
  r[3] = logf(fabsf(x));
  r[4] = tanhf(x);
  r[5] = rsqrtf(fabsf(x));
  r[6] = erff(x);
  r[7] = powf(fabsf(x), 1.7f);
  r[8] = __sinf(x);
  r[9] = __expf(x);
  r[10] = __logf(fabsf(x));
  asm("tanh.approx.f32 %0, %1;" : "=f"(r[11]) : "f"(x));
}

// Directed rounding and saturation: [sum rz, rd and ru, product rz, saturated sum, conversion rz,
// root ru, fma rd].
extern "C" __global__ void rounding_kernel(float a, float b, float* results) {
  results[0] = __fadd_rz(a, b);
  results[1] = __fadd_rd(a, b);
  results[2] = __fadd_ru(a, b);
  results[3] = __fmul_rz(a, b);
  results[4] = __saturatef(a + b);
  results[5] = __double2float_rz(static_cast<double>(a) / b);
  results[6] = __fsqrt_ru(a);
  results[7] = __fmaf_rd(a, b, a);
}
