// Where the sums of a convolution go: bias, residual and rounding of stretches of output rows.
#pragma once
#include <vector>

#include "../../../kernels/conv3d/conv3d_args.h"
#include "../cpu_context.h"
#include "../isa/kernel_table.h"
#include "../isa/vector_table.h"

namespace framepack::cpu {

class Conv3dOutput {
 public:
  Conv3dOutput(const Conv3dArgs& args, const CpuContext& context) : args_(args) {
    if (!args.bias) return;
    bias_.resize(static_cast<size_t>(args.out_channels));
    context.vector->widen(args.bias, args.bias_dtype, bias_.data(), args.out_channels);
  }

  // The pixels from (b, t, y, x) on along a row are the rows of the epilogue.
  isa::Epilogue row(long long b, long long t, long long y, long long x) const {
    const long long first = b * args_.out_batch_stride + t * args_.out_stride[0] +
                            y * args_.out_stride[1] + x * args_.out_stride[2];
    const long long bytes = first * size_of(args_.dtype);
    isa::Epilogue epilogue{};
    epilogue.bias = args_.bias ? bias_.data() : nullptr;
    epilogue.residual = args_.residual ? static_cast<const char*>(args_.residual) + bytes : nullptr;
    epilogue.out = static_cast<char*>(args_.out) + bytes;
    epilogue.residual_stride = epilogue.out_stride = args_.out_stride[2];
    epilogue.out_dtype = args_.dtype;
    return epilogue;
  }

 private:
  const Conv3dArgs& args_;
  std::vector<float> bias_;
};

}  // namespace framepack::cpu
