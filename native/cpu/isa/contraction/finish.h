// The epilogue of a tile: scale, bias, activation, gate and residual on f32 sums, one rounding.
#pragma once
#include "panel.h"

namespace framepack::cpu::isa {
namespace {

inline Float load_any(const void* data, DType dtype, long long index, int count) {
  switch (dtype) {
    case DType::kF16: return load_as<DType::kF16>(data, index, count);
    case DType::kBf16: return load_as<DType::kBf16>(data, index, count);
    default: return load_as<DType::kF32>(data, index, count);
  }
}

inline void store_any(Float x, void* data, DType dtype, long long index, int count) {
  switch (dtype) {
    case DType::kF16: return store_f16(x, static_cast<unsigned short*>(data) + index, count);
    case DType::kBf16:
      return store_int(to_bf16(x), static_cast<unsigned short*>(data) + index, count);
    default: return store(x, static_cast<float*>(data) + index, count);
  }
}

inline Float activate(Float x, Activation activation) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kGeluTanh: return gelu_tanh(x);
    case Activation::kSilu: return times_sigmoid(x, x);
    case Activation::kQuickGelu: return times_sigmoid(x, x * 1.702f);
  }
  return x;
}

inline void finish(const float* c, long long c_stride, const Epilogue& epilogue,
                   const Placement& place) {
  for (int i = 0; i < place.rows; ++i) {
    const long long row = place.row + i;
    for_lanes(place.columns, [&](long long j, int n) {
      const long long column = place.column + j;
      Float x = load(c + i * c_stride + j, n);
      if (epilogue.scale) x *= load(epilogue.scale + column, n);
      if (epilogue.bias) x += load(epilogue.bias + column, n);
      x = activate(x, epilogue.activation);
      if (epilogue.gate) {
        const long long gate_row = row / epilogue.gate_rows * epilogue.gate_stride;
        x *= load_any(epilogue.gate, epilogue.gate_dtype, gate_row + column, n);
      }
      if (epilogue.residual) {
        x += load_any(epilogue.residual, epilogue.out_dtype,
                      row * epilogue.residual_stride + column, n);
      }
      store_any(x, epilogue.out, epilogue.out_dtype, row * epilogue.out_stride + column, n);
    });
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
