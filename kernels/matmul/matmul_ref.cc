#include "matmul_ref.h"

#include <cmath>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

namespace {

double activate(double x, Activation activation) {
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
    case Activation::kSilu: return x / (1 + std::exp(-x));
    case Activation::kQuickGelu: return x / (1 + std::exp(-1.702 * x));
  }
  return x;
}

double weight_scale(const MatmulArgs& args, long long n, long long k) {
  switch (args.scale_mode) {
    case ScaleMode::kNone: return 1;
    case ScaleMode::kTensor: return args.w_scale[0];
    case ScaleMode::kChannel: return args.w_scale[n];
    case ScaleMode::kBlock64: return args.w_scale[n * (args.k / 64) + k / 64];
  }
  return 1;
}

void product(const MatmulArgs& args, long long batch) {
  for (long long m = 0; m < args.m; ++m) {
    for (long long n = 0; n < args.n; ++n) {
      double sum = 0;
      for (long long k = 0; k < args.k; ++k) {
        const double a =
            load_f32(args.a, args.a_dtype, batch * args.a_batch_stride + m * args.a_row_stride + k);
        const double w =
            load_f32(args.w, args.w_dtype, batch * args.w_batch_stride + n * args.w_row_stride + k);
        sum += a * w * weight_scale(args, n, k);
      }
      if (args.bias) sum += load_f32(args.bias, args.bias_dtype, n);
      double y = activate(sum, args.activation);
      if (args.gate) y *= load_f32(args.gate, args.gate_dtype, m / args.gate_rows * args.n + n);
      if (args.residual) {
        y += load_f32(args.residual, args.out_dtype, m * args.residual_row_stride + n);
      }
      store_f32(args.out, args.out_dtype,
                batch * args.out_batch_stride + m * args.out_row_stride + n, static_cast<float>(y));
    }
  }
}

}  // namespace

void matmul(const MatmulArgs& args) {
  for (long long batch = 0; batch < args.batch; ++batch) product(args, batch);
}

}  // namespace framepack::oracle
