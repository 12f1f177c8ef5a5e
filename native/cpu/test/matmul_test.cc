#include "../matmul.h"

#include "oracle_check.h"

namespace {

using namespace framepack;       // NOLINT(google-build-using-namespace): one test program
using namespace framepack::cpu;  // NOLINT(google-build-using-namespace)

struct Case {
  long long m, n, k;
  DType a, w, out;
  Activation activation = Activation::kNone;
  ScaleMode scale = ScaleMode::kNone;
  bool has_bias = false, has_gate = false, has_residual = false;
  long long gap = 0;  // elements between rows
  long long batch = 1;
  bool is_shared = false;  // one a for the whole batch
  bool is_spread = false;  // rows and columns are of very different sizes, one of each has a NaN
};

// 2^-42, 2^-28, ... 2^42 in turn.
float size_of_row(long long row) { return std::ldexp(1.0f, static_cast<int>(row % 7) * 14 - 42); }

void check_case(const Case& c, uint32_t seed) {
  const long long a_stride = c.k + c.gap, w_stride = c.k + 2 * c.gap, out_stride = c.n + 3 * c.gap;
  const long long gate_rows = c.m % 2 == 0 ? 2 : 1;
  test::Data a(c.batch * c.m * a_stride, c.a, 1, seed);
  test::Data w(c.batch * c.n * w_stride, c.w, 1, seed + 1);
  if (c.is_spread) {
    const auto outlier = [](long long i) { return i % 50 == 0 ? 1000.0f : 1.0f; };
    a.multiply([&](long long i) { return outlier(i) * size_of_row(i / a_stride); });
    w.multiply([&](long long i) { return outlier(i) * size_of_row(i / w_stride); });
    store_f32(a.data(), c.a, 3 * a_stride + 5, NAN);
    store_f32(w.data(), c.w, 4 * w_stride + 7, NAN);
  }
  test::Data bias(c.n, DType::kBf16, 1, seed + 2), gate(c.m * c.n, DType::kF16, 1, seed + 3);
  test::Data residual(c.m * out_stride, c.out, 1, seed + 4);
  std::vector<float> scales(static_cast<size_t>(c.n * (c.k / 64 + 1)));
  for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.5f + 0.01f * static_cast<float>(i % 97);
  const test::Data initial(c.batch * c.m * out_stride, c.out, 0, 0);
  const std::string name = "matmul " + std::to_string(c.m) + "x" + std::to_string(c.n) + "x" +
                           std::to_string(c.k) + " a" + std::to_string(int(c.a)) + " w" +
                           std::to_string(int(c.w)) + " act" + std::to_string(int(c.activation)) +
                           " scale" + std::to_string(int(c.scale));
  test::check(name, initial, test::tolerance_of(c.out), [&](void* out, const CpuContext& context) {
    matmul({.a = a.data(),
            .w = w.data(),
            .w_scale = c.scale == ScaleMode::kNone ? nullptr : scales.data(),
            .bias = c.has_bias ? bias.data() : nullptr,
            .residual = c.has_residual ? residual.data() : nullptr,
            .gate = c.has_gate ? gate.data() : nullptr,
            .out = out,
            .m = c.m,
            .n = c.n,
            .k = c.k,
            .a_row_stride = a_stride,
            .w_row_stride = w_stride,
            .residual_row_stride = out_stride,
            .out_row_stride = out_stride,
            .batch = c.batch,
            .a_batch_stride = c.is_shared ? 0 : c.m * a_stride,
            .w_batch_stride = c.n * w_stride,
            .out_batch_stride = c.m * out_stride,
            .gate_rows = gate_rows,
            .a_dtype = c.a,
            .w_dtype = c.w,
            .bias_dtype = DType::kBf16,
            .gate_dtype = DType::kF16,
            .out_dtype = c.out,
            .activation = c.activation,
            .scale_mode = c.scale},
           context);
    // All rows and columns count alike.
    for (long long i = 0; c.is_spread && i < c.m * c.n; ++i) {
      const float size = size_of_row(i / c.n) * size_of_row(i % c.n);
      store_f32(out, c.out, i, load_f32(out, c.out, i) / size);
    }
  });
}

}  // namespace

int main() {
  const DType floats[] = {DType::kF32, DType::kF16, DType::kBf16};
  uint32_t seed = 1;
  for (const long long m : {1, 2, 5, 16, 17, 28, 43}) {
    for (const long long n : {1, 2, 8, 17, 33, 64}) {
      for (const long long k : {1, 2, 7, 64, 65}) {
        check_case(
            {.m = m, .n = n, .k = k, .a = DType::kF32, .w = DType::kBf16, .out = DType::kF32},
            ++seed);
        check_case(
            {.m = m, .n = n, .k = k, .a = DType::kBf16, .w = DType::kBf16, .out = DType::kF32},
            ++seed);
      }
    }
  }
  for (const DType a : floats) {
    for (const DType w : {DType::kF32, DType::kF16, DType::kBf16, DType::kF8E4M3}) {
      for (const DType out : floats) {
        check_case({.m = 33, .n = 47, .k = 321, .a = a, .w = w, .out = out, .gap = 3}, ++seed);
        check_case({.m = 4, .n = 47, .k = 321, .a = a, .w = w, .out = out, .gap = 3}, ++seed);
      }
    }
    for (const ScaleMode scale : {ScaleMode::kTensor, ScaleMode::kChannel, ScaleMode::kBlock64}) {
      for (const long long m : {3, 40}) {
        check_case({.m = m,
                    .n = 35,
                    .k = 576,
                    .a = a,
                    .w = DType::kF8E4M3,
                    .out = DType::kF32,
                    .scale = scale,
                    .has_bias = true},
                   ++seed);
      }
    }
    for (const Activation activation :
         {Activation::kNone, Activation::kGeluTanh, Activation::kSilu, Activation::kQuickGelu}) {
      for (const bool gated : {false, true}) {
        check_case({.m = 38,
                    .n = 50,
                    .k = 96,
                    .a = a,
                    .w = DType::kBf16,
                    .out = a,
                    .activation = activation,
                    .has_bias = true,
                    .has_gate = gated,
                    .has_residual = gated,
                    .gap = 1},
                   ++seed);
      }
    }
  }
  check_case({.m = 700, .n = 300, .k = 600, .a = DType::kF32, .w = DType::kF32, .out = DType::kF32},
             ++seed);
  // More rows than are packed at a time.
  check_case({.m = 2300, .n = 9, .k = 4001, .a = DType::kF32, .w = DType::kF32, .out = DType::kF32},
             ++seed);
  check_case(
      {.m = 4300, .n = 9, .k = 4001, .a = DType::kBf16, .w = DType::kBf16, .out = DType::kF32},
      ++seed);
  for (const DType w : {DType::kBf16, DType::kF8E4M3}) {
    check_case({.m = 137,
                .n = 100,
                .k = 600,
                .a = DType::kBf16,
                .w = w,
                .out = DType::kF32,
                .has_bias = true},
               ++seed);
  }
  for (const DType out : {DType::kF32, DType::kBf16}) {
    check_case({.m = 45,
                .n = 70,
                .k = 700,
                .a = DType::kBf16,
                .w = DType::kBf16,
                .out = out,
                .is_spread = true},
               ++seed);
  }
  for (const bool is_shared : {false, true}) {
    for (const DType dtype : {DType::kF32, DType::kBf16}) {
      check_case({.m = 21,
                  .n = 34,
                  .k = 65,
                  .a = dtype,
                  .w = dtype,
                  .out = dtype,
                  .gap = 1,
                  .batch = 3,
                  .is_shared = is_shared},
                 ++seed);
    }
  }
  return test::report("matmul");
}
