#include <algorithm>

#include "../patchify/patchify_config.h"
#include "../patchify/patchify_ref.h"
#include "session.h"

namespace framepack::test {
namespace {

void read_axes(const Case& item, const char* key, long long (&axes)[3]) {
  const std::vector<long long> values = item.list(key);
  std::fill(axes, axes + 3, 1);
  std::copy_n(values.begin(), std::min<size_t>(values.size(), 3), axes);
}

std::vector<unsigned char> untouched_bytes(Operand& out) {
  std::vector<unsigned char> bytes(static_cast<size_t>(out.count() * size_of(out.dtype())), 0xff);
  std::copy(bytes.begin(), bytes.end(), static_cast<unsigned char*>(out.host()));
  return bytes;
}

void run_patchify(Session& session, const Case& item) {
  PatchifyArgs args{};
  args.batch = item.integer("batch", 1), args.channels = item.integer("channels");
  args.width = item.integer("width");
  read_axes(item, "extent", args.extent);
  read_axes(item, "kernel", args.kernel);
  args.x_dtype = item.dtype("x", DType::kBf16), args.w_dtype = item.dtype("w", args.x_dtype);
  args.bias_dtype = item.dtype("bias", args.x_dtype);
  args.out_dtype = item.dtype("out", args.x_dtype);
  // Channels last when asked for, else [B, C, T, H, W] with a gap after every line.
  const long long pad = item.integer("pad");
  const bool is_channels_last = item.flag("channelsLast");
  args.x_stride[2] = is_channels_last ? args.channels : 1;
  args.x_stride[1] = args.x_stride[2] * args.extent[2] + pad;
  args.x_stride[0] = args.x_stride[1] * args.extent[1];
  args.x_channel_stride = is_channels_last ? 1 : args.x_stride[0] * args.extent[0];
  args.x_batch_stride = args.x_stride[0] * args.extent[0] * (is_channels_last ? 1 : args.channels);

  const long long lines =
      args.batch * args.extent[0] * args.extent[1] * (is_channels_last ? 1 : args.channels);
  const long long line = args.extent[2] * (is_channels_last ? args.channels : 1);
  const long long k = args.channels * args.kernel[0] * args.kernel[1] * args.kernel[2];
  Operand x = session.matrix(args.x_dtype, lines, line, args.x_stride[1]);
  Operand w = session.vector(args.w_dtype, args.width * k);
  Operand bias = session.vector(args.bias_dtype, item.text("bias").empty() ? 0 : args.width, -4, 4);
  const long long tokens = args.batch * ceil_div(args.extent[0], args.kernel[0]) *
                           ceil_div(args.extent[1], args.kernel[1]) *
                           ceil_div(args.extent[2], args.kernel[2]);
  Operand out(session.driver(), args.out_dtype, tokens * args.width);
  const std::vector<unsigned char> untouched = untouched_bytes(out);
  const auto bind = [&](auto pointer) {
    args.x = pointer(x), args.w = pointer(w), args.bias = pointer(bias), args.out = pointer(out);
  };
  bind([](Operand& operand) { return operand.count() == 0 ? nullptr : operand.host(); });
  oracle::patchify(args);
  bind([](Operand& operand) { return operand.device(); });
  session.compare(item.describe(), plan_patchify(args, session.driver().traits()), &args, out,
                  untouched, tolerance_of(args.out_dtype));
}

void run_unpatchify(Session& session, const Case& item) {
  UnpatchifyArgs args{};
  args.batch = item.integer("batch", 1), args.channels = item.integer("channels");
  read_axes(item, "grid", args.grid);
  read_axes(item, "patch", args.patch);
  args.dtype = item.dtype("x", DType::kBf16);
  const long long tokens = args.grid[0] * args.grid[1] * args.grid[2];
  const long long width = args.channels * args.patch[0] * args.patch[1] * args.patch[2];
  args.x_token_stride = width + item.integer("pad");
  args.x_batch_stride = tokens * args.x_token_stride;
  Operand x = session.matrix(args.dtype, args.batch * tokens, width, args.x_token_stride);
  Operand out(session.driver(), args.dtype, args.batch * tokens * width);
  const std::vector<unsigned char> untouched = untouched_bytes(out);
  args.x = x.host(), args.out = out.host();
  oracle::unpatchify(args);
  args.x = x.device(), args.out = out.device();
  session.compare(item.describe(), plan_unpatchify(args, session.driver().traits()), &args, out,
                  untouched, 0);
}

}  // namespace

void test_patchify(Session& session) {
  for (const Case& item : session.cases("patchify")) {
    item.list("grid").empty() ? run_patchify(session, item) : run_unpatchify(session, item);
  }
}

}  // namespace framepack::test
