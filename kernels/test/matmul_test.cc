#include <stdexcept>

#include "../matmul/matmul_config.h"
#include "../matmul/matmul_ref.h"
#include "session.h"

namespace framepack::test {
namespace {

Activation activation_of(const Case& item) {
  const std::string name = item.text("activation", "none");
  if (name == "gelu-tanh") return Activation::kGeluTanh;
  if (name == "silu") return Activation::kSilu;
  if (name == "quick-gelu") return Activation::kQuickGelu;
  if (name == "none") return Activation::kNone;
  throw std::runtime_error("unknown activation " + name);
}

ScaleMode scale_mode_of(const Case& item) {
  const std::string name = item.text("scale", "none");
  if (name == "tensor") return ScaleMode::kTensor;
  if (name == "channel") return ScaleMode::kChannel;
  if (name == "block64") return ScaleMode::kBlock64;
  if (name == "none") return ScaleMode::kNone;
  throw std::runtime_error("unknown scale mode " + name);
}

long long scale_count(ScaleMode mode, long long n, long long k) {
  switch (mode) {
    case ScaleMode::kNone: return 0;
    case ScaleMode::kTensor: return 1;
    case ScaleMode::kChannel: return n;
    case ScaleMode::kBlock64: return n * (k / 64);
  }
  return 0;
}

void run_case(Session& session, const Case& item) {
  MatmulArgs args{};
  args.m = item.integer("m"), args.n = item.integer("n"), args.k = item.integer("k");
  args.a_dtype = item.dtype("a", DType::kBf16);
  args.w_dtype = item.dtype("w", args.a_dtype);
  args.out_dtype = item.dtype("out", args.a_dtype);
  args.bias_dtype = item.dtype("bias", args.a_dtype);
  args.gate_dtype = item.dtype("gate", args.a_dtype);
  args.activation = activation_of(item);
  args.scale_mode = scale_mode_of(item);
  args.gate_rows = item.integer("gateRows", 1);
  args.a_row_stride = args.k + item.integer("aPad");
  args.w_row_stride = args.k + item.integer("wPad");
  args.residual_row_stride = args.n + item.integer("residualPad");
  args.out_row_stride = args.n + item.integer("outPad");
  args.batch = item.integer("batch", 1);
  args.a_batch_stride = item.flag("aShared") ? 0 : args.m * args.a_row_stride;
  args.w_batch_stride = item.flag("wShared") ? 0 : args.n * args.w_row_stride;
  args.out_batch_stride = args.m * args.out_row_stride;
  const long long a_count = item.flag("aShared") ? 1 : args.batch;
  const long long w_count = item.flag("wShared") ? 1 : args.batch;

  const double w_bound = args.w_dtype == DType::kF8E4M3 ? 448 : 1;
  Operand a = session.matrix(args.a_dtype, a_count * args.m, args.k, args.a_row_stride);
  Operand w =
      session.matrix(args.w_dtype, w_count * args.n, args.k, args.w_row_stride, -w_bound, w_bound);
  Operand w_scale = session.vector(DType::kF32, scale_count(args.scale_mode, args.n, args.k),
                                   0.25 / w_bound, 1 / w_bound);
  Operand bias = session.vector(args.bias_dtype, item.text("bias").empty() ? 0 : args.n, -4, 4);
  Operand gate = session.matrix(args.gate_dtype, (args.m + args.gate_rows - 1) / args.gate_rows,
                                item.text("gate").empty() ? 0 : args.n, args.n);
  Operand residual = session.matrix(args.out_dtype, args.m, item.flag("residual") ? args.n : 0,
                                    args.residual_row_stride, -4, 4);
  Operand out(session.driver(), args.out_dtype,
              (args.batch * args.m - 1) * args.out_row_stride + args.n);
  const std::vector<unsigned char> untouched(
      static_cast<size_t>(out.count() * size_of(args.out_dtype)), 0xff);

  const auto bind = [&](auto pointer) {
    args.a = pointer(a), args.w = pointer(w), args.bias = pointer(bias);
    args.w_scale = static_cast<const float*>(pointer(w_scale));
    args.residual = pointer(residual), args.gate = pointer(gate), args.out = pointer(out);
  };
  std::copy(untouched.begin(), untouched.end(), static_cast<unsigned char*>(out.host()));
  bind([](Operand& operand) { return operand.count() == 0 ? nullptr : operand.host(); });
  oracle::matmul(args);
  bind([](Operand& operand) { return operand.device(); });
  std::string last;
  for (const DeviceTraits& traits : trait_variants(session.driver().traits())) {
    const Launch launch = plan_matmul(args, traits);
    if (launch.kernel == last) continue;
    last = launch.kernel;
    session.compare(item.describe(), launch, &args, out, untouched, tolerance_of(args.out_dtype));
  }
}

}  // namespace

void test_matmul(Session& session) {
  for (const Case& item : session.cases("matmul")) run_case(session, item);
}

}  // namespace framepack::test
