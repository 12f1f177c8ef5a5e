#include "../patchify.h"

#include "oracle_check.h"

namespace {

using namespace framepack;       // NOLINT(google-build-using-namespace): one test program
using namespace framepack::cpu;  // NOLINT(google-build-using-namespace)

void check_patchify(long long channels, const long long (&extent)[3], const long long (&kernel)[3],
                    DType x_dtype, DType w_dtype, DType out_dtype, uint32_t seed) {
  constexpr long long kBatch = 2, kWidth = 37;
  PatchifyArgs args{};
  args.batch = kBatch;
  args.channels = channels;
  args.width = kWidth;
  long long stride = 2, tokens = 1, columns = channels;  // every second element of x is skipped
  for (int axis = 2; axis >= 0; --axis) {
    args.extent[axis] = extent[axis];
    args.kernel[axis] = kernel[axis];
    args.x_stride[axis] = stride;
    stride *= extent[axis];
    tokens *= (extent[axis] + kernel[axis] - 1) / kernel[axis];
    columns *= kernel[axis];
  }
  args.x_channel_stride = stride;
  args.x_batch_stride = stride * channels;
  args.x_dtype = x_dtype;
  args.w_dtype = w_dtype;
  args.bias_dtype = DType::kF16;
  args.out_dtype = out_dtype;
  test::Data x(kBatch * args.x_batch_stride, x_dtype, 1, seed);
  test::Data w(kWidth * columns, w_dtype, 1, seed + 1), bias(kWidth, DType::kF16, 1, seed + 2);
  args.x = x.data();
  args.w = w.data();
  args.bias = bias.data();
  const test::Data initial(kBatch * tokens * kWidth, out_dtype, 0, 0);
  const std::string name = "patchify " + std::to_string(kernel[0]) + "x" +
                           std::to_string(kernel[1]) + "x" + std::to_string(kernel[2]);
  test::check(name, initial, test::tolerance_of(out_dtype),
              [&](void* out, const CpuContext& context) {
                args.out = out;
                patchify(args, context);
              });
}

void check_unpatchify(const long long (&grid)[3], const long long (&patch)[3], DType dtype) {
  UnpatchifyArgs args{};
  args.batch = 2;
  args.channels = 3;
  long long tokens = 1, columns = args.channels;
  for (int axis = 0; axis < 3; ++axis) {
    args.grid[axis] = grid[axis];
    args.patch[axis] = patch[axis];
    tokens *= grid[axis];
    columns *= patch[axis];
  }
  args.x_token_stride = columns + 5;
  args.x_batch_stride = args.x_token_stride * tokens + 7;
  args.dtype = dtype;
  test::Data x(2 * args.x_batch_stride, dtype, 1, 9);
  args.x = x.data();
  const test::Data initial(2 * tokens * columns, dtype, 0, 0);
  test::check("unpatchify", initial, 0, [&](void* out, const CpuContext& context) {
    args.out = out;
    unpatchify(args, context);
  });
}

}  // namespace

int main() {
  const DType floats[] = {DType::kF32, DType::kF16, DType::kBf16};
  const long long kernels[][3] = {{1, 2, 2}, {2, 4, 4}, {4, 8, 8}, {8, 16, 16}, {1, 14, 14}};
  const long long extents[][3] = {{1, 1, 1}, {2, 8, 12}, {3, 17, 30}, {9, 16, 16}};
  uint32_t seed = 1;
  for (const auto& kernel : kernels) {
    for (const auto& extent : extents) {
      for (const long long channels : {1, 3, 16}) {
        seed += 3;
        check_patchify(channels, extent, kernel, floats[seed % 3], floats[seed / 3 % 3],
                       floats[seed / 9 % 3], seed);
      }
    }
  }
  for (const DType dtype : floats) {
    check_unpatchify({1, 1, 1}, {1, 1, 1}, dtype);
    check_unpatchify({3, 4, 5}, {1, 2, 2}, dtype);
    check_unpatchify({2, 1, 3}, {2, 1, 3}, dtype);
  }
  return test::report("patchify");
}
