#include "elementwise_ref.h"

#include <algorithm>
#include <cmath>

#include "../../native/core/dtype.h"

namespace framepack::oracle {
namespace {

double gelu_tanh(double a) {
  const double sqrt_2_over_pi = 0.79788456080286535588;
  return 0.5 * a * (1.0 + std::tanh(sqrt_2_over_pi * (a + 0.044715 * a * a * a)));
}

double apply(const ElementwiseArgs& args, double a, double b, double c) {
  switch (args.op) {
    case ElementwiseOp::kAdd: return a + b;
    case ElementwiseOp::kSub: return a - b;
    case ElementwiseOp::kMul: return a * b;
    case ElementwiseOp::kDiv: return a / b;
    case ElementwiseOp::kLerp: return a * (1.0 - c) + b * c;
    case ElementwiseOp::kAffine: return a * args.alpha + args.beta;
    case ElementwiseOp::kClamp:
      // The order of the operands lets a NaN through.
      return std::min(std::max(a, static_cast<double>(args.alpha)), static_cast<double>(args.beta));
    case ElementwiseOp::kGeluTanh: return gelu_tanh(a);
    case ElementwiseOp::kSilu: return a / (1.0 + std::exp(-a));
    case ElementwiseOp::kQuickGelu: return a / (1.0 + std::exp(-1.702 * a));
    case ElementwiseOp::kExp: return std::exp(a);
    case ElementwiseOp::kRelu: return a < 0 ? 0 : a;
    case ElementwiseOp::kTanh: return std::tanh(a);
    case ElementwiseOp::kSqrt: return std::sqrt(a);
    case ElementwiseOp::kRsqrt: return 1.0 / std::sqrt(a);
    case ElementwiseOp::kLog: return std::log(a);
    case ElementwiseOp::kMaximum: return a > b || std::isnan(a) ? a : b;
    case ElementwiseOp::kMinimum: return a < b || std::isnan(a) ? a : b;
    case ElementwiseOp::kEqual: return a == b;
    case ElementwiseOp::kNotEqual: return a != b;
    case ElementwiseOp::kLess: return a < b;
    case ElementwiseOp::kLessEqual: return a <= b;
    case ElementwiseOp::kGreater: return a > b;
    case ElementwiseOp::kGreaterEqual: return a >= b;
    case ElementwiseOp::kWhere: return c != 0 ? a : b;
  }
  return 0;
}

}  // namespace

void elementwise(const ElementwiseArgs& args) {
  long long count = 1;
  for (long long axis = 0; axis < args.rank; ++axis) count *= args.shape[axis];
  for (long long i = 0; i < count; ++i) {
    long long rest = i, a_at = 0, b_at = 0, c_at = 0, out_at = 0;
    for (long long axis = args.rank - 1; axis >= 0; --axis) {
      const long long index = rest % args.shape[axis];
      rest /= args.shape[axis];
      a_at += index * args.a_stride[axis];
      b_at += index * args.b_stride[axis];
      c_at += index * args.c_stride[axis];
      out_at += index * args.out_stride[axis];
    }
    const double a = load_f32(args.a, args.a_dtype, a_at);
    const double b = args.b ? load_f32(args.b, args.b_dtype, b_at) : 0;
    const double c = args.c ? load_f32(args.c, args.c_dtype, c_at) : 0;
    store_f32(args.out, args.out_dtype, out_at, static_cast<float>(apply(args, a, b, c)));
  }
}

}  // namespace framepack::oracle
