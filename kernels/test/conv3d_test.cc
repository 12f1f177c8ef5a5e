#include <algorithm>

#include "../conv3d/conv3d_config.h"
#include "../conv3d/conv3d_ref.h"
#include "session.h"

namespace framepack::test {
namespace {

void read_axes(const Case& item, const char* key, long long otherwise, long long (&axes)[3]) {
  std::fill(axes, axes + 3, otherwise);
  const std::vector<long long> values = item.list(key);
  std::copy_n(values.begin(), std::min<size_t>(values.size(), 3), axes);
}

void run_case(Session& session, const Case& item) {
  Conv3dArgs args{};
  args.batch = item.integer("batch", 1);
  args.in_channels = item.integer("cin"), args.out_channels = item.integer("cout");
  read_axes(item, "extent", 1, args.in_extent);
  read_axes(item, "kernel", 1, args.kernel);
  read_axes(item, "stride", 1, args.stride);
  for (int axis = 0; axis < 3; ++axis) {
    args.pad[axis] = axis == 0 ? args.kernel[axis] - 1 : args.kernel[axis] / 2;
    args.out_extent[axis] = (args.in_extent[axis] - 1) / args.stride[axis] + 1;
  }
  if (!item.list("pad").empty()) read_axes(item, "pad", 0, args.pad);
  // A spread of s leaves s - 1 elements of the target between results: one phase of an upsampler.
  long long spread[3];
  read_axes(item, "spread", 1, spread);
  args.out_stride[2] = args.out_channels * spread[2] + item.integer("outPad");
  args.out_stride[1] = args.out_stride[2] * args.out_extent[2] * spread[1];
  args.out_stride[0] = args.out_stride[1] * args.out_extent[1] * spread[0];
  args.out_batch_stride = args.out_stride[0] * args.out_extent[0];
  args.dtype = item.dtype("dtype", DType::kBf16);
  args.w_dtype = item.dtype("w", args.dtype);
  args.bias_dtype = item.dtype("bias", args.dtype);

  const long long taps = args.kernel[0] * args.kernel[1] * args.kernel[2];
  Operand x = session.vector(args.dtype, args.batch * args.in_extent[0] * args.in_extent[1] *
                                             args.in_extent[2] * args.in_channels);
  Operand w = session.vector(args.w_dtype, args.out_channels * taps * args.in_channels);
  Operand bias =
      session.vector(args.bias_dtype, item.text("bias").empty() ? 0 : args.out_channels, -4, 4);
  const long long last = (args.batch - 1) * args.out_batch_stride +
                         (args.out_extent[0] - 1) * args.out_stride[0] +
                         (args.out_extent[1] - 1) * args.out_stride[1] +
                         (args.out_extent[2] - 1) * args.out_stride[2] + args.out_channels;
  Operand residual = session.vector(args.dtype, item.flag("residual") ? last : 0, -4, 4);
  Operand out(session.driver(), args.dtype, last);
  const std::vector<unsigned char> untouched(static_cast<size_t>(last * size_of(args.dtype)), 0xff);

  const auto bind = [&](auto pointer) {
    args.x = pointer(x), args.w = pointer(w), args.bias = pointer(bias);
    args.residual = pointer(residual), args.out = pointer(out);
  };
  std::copy(untouched.begin(), untouched.end(), static_cast<unsigned char*>(out.host()));
  bind([](Operand& operand) { return operand.count() == 0 ? nullptr : operand.host(); });
  oracle::conv3d(args);
  bind([](Operand& operand) { return operand.device(); });
  std::string previous;
  for (const DeviceTraits& traits : trait_variants(session.driver().traits())) {
    const Launch launch = plan_conv3d(args, traits);
    if (launch.kernel == previous) continue;
    previous = launch.kernel;
    session.compare(item.describe(), launch, &args, out, untouched, tolerance_of(args.dtype));
  }
}

}  // namespace

void test_conv3d(Session& session) {
  for (const Case& item : session.cases("conv3d")) run_case(session, item);
}

}  // namespace framepack::test
