#include <cstdint>

__constant__ float scale_table[4] = {1.0f, 0.5f, 0.25f, 0.125f};
__device__ int counter = 5;
__device__ unsigned long long zeroed[2];
__device__ const int* pointer_to_counter = &counter;

struct Arguments {
  const float* in;
  float* out;
  int choice[4];
};

__noinline__ __device__ float callee(float x, int times) {
  for (int i = 0; i < times; ++i) x = x * 0.5f + 1.0f;
  return x;
}

// Vector accesses, constant and module variables, a dynamically indexed local array, an indexed
// parameter, a real call, a switch: out[i] is computed the same way by the test.
extern "C" __global__ void spaces(Arguments p) {
  const int i = static_cast<int>(threadIdx.x);
  const float4 v = reinterpret_cast<const float4*>(p.in)[i];
  float local[8];
  for (int k = 0; k < 8; ++k) local[k] = v.x * static_cast<float>(k) + v.y;
  float sum = local[p.choice[i & 3] & 7] * scale_table[i & 3] + callee(v.z, p.choice[(i + 1) & 3]);
  switch (p.choice[i & 3]) {
    case 0: sum += 1.0f; break;
    case 1: sum *= 2.0f; break;
    case 2: sum -= v.w; break;
    case 3: sum = sum * sum; break;
    case 4: sum += v.w * 3.0f; break;
    case 5: sum = -sum; break;
    default: sum = 0.0f;
  }
  p.out[i] = sum + static_cast<float>(*pointer_to_counter) + static_cast<float>(zeroed[i & 1]);
}

extern "C" __global__ void narrow(const uint8_t* bytes, const int8_t* signed_bytes,
                                  const uint16_t* shorts, uint8_t* bytes_out, long long* out) {
  const int i = static_cast<int>(threadIdx.x);
  bytes_out[i] = static_cast<uint8_t>(bytes[i] + 1);
  out[i] = static_cast<long long>(signed_bytes[i]) * shorts[i] - bytes[i];
}

// Static and dynamic shared memory through 32-bit, generic and vector addresses.
extern "C" __global__ void reverse(const float* in, float* out) {
  __shared__ float fixed[128];
  extern __shared__ __align__(16) float dynamic[];
  const int i = static_cast<int>(threadIdx.x), n = static_cast<int>(blockDim.x);
  fixed[i] = in[i];
  __syncthreads();
  float* generic = (i & 1) ? fixed : dynamic;
  if (!(i & 1)) generic[i] = 0.0f;
  dynamic[i] = fixed[n - 1 - i];
  __syncthreads();
  if (i < n / 4) reinterpret_cast<float4*>(out)[i] = reinterpret_cast<const float4*>(dynamic)[i];
}

extern "C" __global__ void atomics(int* ints, unsigned* unsigneds, unsigned long long* longs,
                                   float* floats) {
  __shared__ unsigned shared_sum;
  if (threadIdx.x == 0) shared_sum = 0;
  __syncthreads();
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&ints[0], i);
  atomicMin(&ints[1], -i);
  atomicMax(&ints[2], i);
  atomicAdd(&unsigneds[0], 3u);
  atomicMax(&unsigneds[1], static_cast<unsigned>(i));
  atomicOr(&unsigneds[2], 1u << (i & 31));
  atomicInc(&unsigneds[3], 9u);
  atomicAdd(&longs[0], 0x100000000ull);
  atomicAdd(&floats[0], 0.5f);
  unsigned expected = unsigneds[4] * 0, seen;
  while ((seen = atomicCAS(&unsigneds[5], expected, expected + 2)) != expected) expected = seen;
  atomicAdd(&shared_sum, 1u);
  __syncthreads();
  if (threadIdx.x == 0) atomicExch(&unsigneds[6], shared_sum);
}

// cp.async of 4, 8 and 16 bytes, with zero fill, in two groups.
extern "C" __global__ void async_copies(const float* in, float* out, int valid) {
  __shared__ __align__(16) float tile[32 * 4], pair[32 * 2], single[32];
  const int i = static_cast<int>(threadIdx.x);
  const auto shared = [](const void* p) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(p));
  };
  const int bytes = i < valid ? 16 : i == valid ? 4 : 0;
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(shared(tile + 4 * i)),
               "l"(in + 4 * (i <= valid ? i : 0)), "r"(bytes)
               : "memory");
  asm volatile("cp.async.commit_group;" ::: "memory");
  asm volatile("cp.async.ca.shared.global [%0], [%1], 8;" ::"r"(shared(pair + 2 * i)),
               "l"(in + 2 * i)
               : "memory");
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(shared(single + i)), "l"(in + i)
               : "memory");
  asm volatile("cp.async.commit_group;" ::: "memory");
  asm volatile("cp.async.wait_group 1;" ::: "memory");
  __syncthreads();
  float sum = tile[4 * (31 - i)] + tile[4 * (31 - i) + 1];
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
  out[i] = sum + 100.0f * pair[2 * (31 - i) + 1] + 10000.0f * single[31 - i];
}
