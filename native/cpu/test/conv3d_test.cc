#include "../conv3d.h"

#include "oracle_check.h"

namespace {

using namespace framepack;       // NOLINT(google-build-using-namespace): one test program
using namespace framepack::cpu;  // NOLINT(google-build-using-namespace)

struct Case {
  long long in_channels, out_channels;
  long long extent[3], kernel[3], stride[3];
  DType dtype = DType::kF32, w_dtype = DType::kF32;
  long long batch = 1;
  bool has_residual = false;
  long long spread = 1;  // output pixels lie this far apart in every axis
  double tolerance = 0;  // or that of the dtype
};

// Winograd's method rounds its transformed operands to bf16 too: sums of four pixels and of nine taps,
// of which nine products make an output. Two such roundings weigh 2.5 times the last one; together
// sqrt(1 + 2.5^2) = 2.7 roundings of 2^-9 / sqrt(3) each.
constexpr double kWinogradBf16Tolerance = 4.8e-3;

void check_case(const Case& c, uint32_t seed) {
  Conv3dArgs args{};
  args.batch = c.batch;
  args.in_channels = c.in_channels;
  args.out_channels = c.out_channels;
  args.dtype = c.dtype;
  args.w_dtype = c.w_dtype;
  args.bias_dtype = DType::kF32;
  long long pixels = c.batch, taps = 1, out_size = c.batch, stride = c.out_channels;
  for (int axis = 2; axis >= 0; --axis) {
    args.in_extent[axis] = c.extent[axis];
    args.kernel[axis] = c.kernel[axis];
    args.stride[axis] = c.stride[axis];
    args.pad[axis] = axis == 0 ? c.kernel[axis] - 1 : c.kernel[axis] / 2;
    args.out_extent[axis] = (c.extent[axis] - 1) / c.stride[axis] + 1;
    args.out_stride[axis] = stride * c.spread;
    stride *= args.out_extent[axis] * c.spread;
    pixels *= c.extent[axis];
    taps *= c.kernel[axis];
    out_size *= args.out_extent[axis] * c.spread;
  }
  args.out_batch_stride = stride;
  out_size *= c.out_channels;
  test::Data x(pixels * c.in_channels, c.dtype, 1, seed);
  test::Data w(c.out_channels * taps * c.in_channels, c.w_dtype, 1, seed + 1);
  test::Data bias(c.out_channels, DType::kF32, 1, seed + 2);
  test::Data residual(out_size, c.dtype, 1, seed + 3);
  const test::Data initial(out_size, c.dtype, 0, 0);
  args.x = x.data();
  args.w = w.data();
  args.bias = bias.data();
  args.residual = c.has_residual ? residual.data() : nullptr;
  const std::string name = "conv3d " + std::to_string(c.in_channels) + "->" +
                           std::to_string(c.out_channels) + " on " + std::to_string(c.extent[0]) +
                           "x" + std::to_string(c.extent[1]) + "x" + std::to_string(c.extent[2]) +
                           " kernel " + std::to_string(c.kernel[0]) + "x" +
                           std::to_string(c.kernel[1]) + "x" + std::to_string(c.kernel[2]) +
                           " dtype " + std::to_string(int(c.dtype));
  test::check(name, initial, c.tolerance > 0 ? c.tolerance : test::tolerance_of(c.dtype),
              [&](void* out, const CpuContext& context) {
                args.out = out;
                conv3d(args, context);
              });
}

// Enough tiles and channels for Winograd's method, in odd numbers.
void check_winograd(uint32_t seed) {
  const long long kernels[][3] = {{3, 3, 3}, {1, 3, 3}, {2, 3, 3}};
  const long long extents[][3] = {{1, 16, 17}, {3, 9, 31}, {2, 2, 80}};
  const long long channels[][2] = {{24, 24}, {33, 70}, {130, 49}, {20, 300}};
  for (const auto& kernel : kernels) {
    for (const auto& extent : extents) {
      for (const auto& pair : channels) {
        Case c{pair[0],
               pair[1],
               {extent[0], extent[1], extent[2]},
               {kernel[0], kernel[1], kernel[2]},
               {seed % 4 == 0 ? 2 : 1, 1, 1}};
        c.has_residual = seed % 2 == 0;
        c.spread = seed % 3 == 0 ? 2 : 1;
        c.batch = seed % 5 == 0 ? 2 : 1;
        check_case(c, ++seed);
        c.w_dtype = seed % 2 == 0 ? DType::kBf16 : DType::kF16;
        check_case(c, ++seed);
        c.dtype = DType::kF16;
        check_case(c, ++seed);
        c.dtype = c.w_dtype = DType::kBf16;
        c.tolerance = kWinogradBf16Tolerance;
        check_case(c, ++seed);
      }
    }
  }
}

}  // namespace

int main() {
  uint32_t seed = 1;
  const long long kernels[][3] = {{3, 3, 3}, {1, 1, 1}, {2, 2, 2}, {1, 3, 3}, {3, 1, 1}};
  const long long strides[][3] = {{1, 1, 1}, {1, 2, 2}, {2, 2, 2}};
  const long long extents[][3] = {{1, 1, 1}, {2, 1, 2}, {1, 5, 3}, {5, 7, 17}, {3, 4, 31}};
  const long long channels[][2] = {{3, 16}, {16, 3}, {1, 1}, {16, 32}, {32, 33}, {2, 64}, {130, 4}};
  for (const auto& kernel : kernels) {
    for (const auto& stride : strides) {
      for (const auto& extent : extents) {
        for (const auto& pair : channels) {
          Case c{pair[0],
                 pair[1],
                 {extent[0], extent[1], extent[2]},
                 {kernel[0], kernel[1], kernel[2]},
                 {stride[0], stride[1], stride[2]}};
          c.has_residual = seed % 2 == 0;
          c.spread = seed % 3 == 0 ? 2 : 1;
          c.batch = seed % 5 == 0 ? 2 : 1;
          check_case(c, ++seed);
          c.dtype = DType::kBf16;
          c.w_dtype = DType::kBf16;
          check_case(c, ++seed);
        }
      }
    }
  }
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBf16}) {
    for (const DType w_dtype : {DType::kF32, DType::kF16, DType::kBf16}) {
      Case c{24, 40, {3, 9, 70}, {3, 3, 3}, {1, 1, 1}, dtype, w_dtype};
      check_case(c, ++seed);
    }
  }
  check_case({512, 64, {1, 6, 20}, {3, 3, 3}, {1, 1, 1}}, ++seed);
  for (const long long in_channels : {32, 64, 256}) {
    Case wide{in_channels, 70, {2, 5, 75}, {3, 3, 3}, {1, 1, 1}, DType::kBf16, DType::kBf16};
    if (in_channels >= 64) wide.tolerance = kWinogradBf16Tolerance;
    check_case(wide, ++seed);
    check_case({in_channels, 70, {2, 5, 75}, {3, 3, 1}, {1, 1, 1}, DType::kBf16, DType::kBf16},
               ++seed);
    check_case({in_channels, 70, {2, 5, 7}, {3, 3, 3}, {1, 1, 1}, DType::kBf16, DType::kBf16},
               ++seed);
  }
  check_winograd(seed);
  return test::report("conv3d");
}
