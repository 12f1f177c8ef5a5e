#include "copy_ref.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

void copy(const CopyArgs& args) {
  const long long bytes = size_of(args.x_dtype);
  long long count = 1;
  for (long long axis = 0; axis < args.rank; ++axis) count *= args.shape[axis];
  for (long long i = 0; i < count; ++i) {
    long long rest = i, x_at = 0, out_at = 0;
    for (long long axis = args.rank - 1; axis >= 0; --axis) {
      const long long index = rest % args.shape[axis];
      rest /= args.shape[axis];
      x_at += index * args.x_stride[axis];
      out_at += index * args.out_stride[axis];
    }
    // Equal types keep their bits: f32 has no room for every i32, and NaN payloads survive.
    if (args.x_dtype == args.out_dtype) {
      std::memcpy(static_cast<char*>(args.out) + out_at * bytes,
                  static_cast<const char*>(args.x) + x_at * bytes, static_cast<size_t>(bytes));
    } else {
      store_f32(args.out, args.out_dtype, out_at, load_f32(args.x, args.x_dtype, x_at));
    }
  }
}

void fill(const FillArgs& args) {
  for (long long i = 0; i < args.count; ++i) store_f32(args.out, args.dtype, i, args.value);
}

// All arithmetic is f32: the codes are part of a checkpoint's identity and must not depend on the
// device.
void quantize(const QuantizeArgs& args) {
  const long long groups = args.rows * (args.width / args.group_width);
  for (long long g = 0; g < groups; ++g) {
    const long long first = g * args.group_width;
    float largest = 0;
    for (long long i = 0; i < args.group_width; ++i)
      largest = std::max(largest, std::abs(load_f32(args.w, args.dtype, first + i)));
    const float scale = std::max(largest / 448.0f, 1e-8f);
    args.scale[g] = scale;
    for (long long i = 0; i < args.group_width; ++i) {
      const float quotient = load_f32(args.w, args.dtype, first + i) / scale;
      const float scaled = std::isnan(quotient) ? 0.0f : std::clamp(quotient, -448.0f, 448.0f);
      store_f32(args.q, DType::kF8E4M3, first + i, scaled);
    }
  }
}

void dequantize(const DequantizeArgs& args) {
  for (long long i = 0; i < args.rows * args.width; ++i)
    store_f32(args.out, args.dtype, i,
              load_f32(args.q, DType::kF8E4M3, i) * args.scale[i / args.group_width]);
}

}  // namespace framepack::oracle
