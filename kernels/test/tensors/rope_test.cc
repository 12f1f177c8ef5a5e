#include <algorithm>

#include "../../rope/rope_config.h"
#include "../../rope/rope_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

void read_axes(const Case& item, const char* key, long long (&axes)[3]) {
  const std::vector<long long> values = item.list(key);
  std::copy_n(values.begin(), 3, axes);
}

void run_rope_table(TensorCase& test) {
  const std::vector<long long> frames = test.item().list("framePositions");
  Tensor positions = test.numbers(DType::kI32, {frames.begin(), frames.end()});
  RopeTableArgs args{};
  args.frames = positions.count();
  args.height = test.item().integer("height");
  args.width = test.item().integer("width");
  read_axes(test.item(), "axisWidths", args.axis_width);
  args.theta = static_cast<float>(test.item().number("theta"));
  const long long columns = (args.axis_width[0] + args.axis_width[1] + args.axis_width[2]) / 2;
  const std::vector<long long> shape = {args.frames * args.height * args.width, columns};
  Tensor cos = test.output(DType::kF32, shape), sin = test.output(DType::kF32, shape);
  test.run({[&](const Place& at) {
              args.frame_positions = static_cast<const int*>(at(positions));
              args.cos = static_cast<float*>(at(cos)), args.sin = static_cast<float*>(at(sin));
            },
            [&] { oracle::rope_table(args); },
            [&] { return std::vector{plan_rope_table(args, test.traits())}; },
            &args,
            {&cos, &sin}});
}

void run_rope_pool(TensorCase& test) {
  Tensor cos = test.input("cos"), sin = test.input("sin");
  long long grid[3];
  RopePoolArgs args{};
  read_axes(test.item(), "grid", grid);
  read_axes(test.item(), "pool", args.pool);
  args.frames = grid[0], args.height = grid[1], args.width = grid[2];
  args.columns = cos.extent(1);
  const std::vector<long long> shape = {ceil_div(grid[0], args.pool[0]) *
                                            ceil_div(grid[1], args.pool[1]) *
                                            ceil_div(grid[2], args.pool[2]),
                                        args.columns};
  Tensor cos_out = test.output(DType::kF32, shape), sin_out = test.output(DType::kF32, shape);
  test.run({[&](const Place& at) {
              args.cos = static_cast<const float*>(at(cos));
              args.sin = static_cast<const float*>(at(sin));
              args.cos_out = static_cast<float*>(at(cos_out));
              args.sin_out = static_cast<float*>(at(sin_out));
            },
            [&] { oracle::rope_pool(args); },
            [&] { return std::vector{plan_rope_pool(args, test.traits())}; },
            &args,
            {&cos_out, &sin_out}});
}

void run_rope(TensorCase& test, bool is_in_place) {
  Tensor x = test.input("x"), weight = test.input("weight");
  Tensor cos = test.input("cos"), sin = test.input("sin");
  Tensor fresh = test.output(x.dtype, x.shape);
  Tensor& out = is_in_place ? x : fresh;
  RopeArgs args{};
  args.batch = x.extent(0), args.tokens = x.extent(1);
  args.heads = x.extent(2), args.head_width = x.extent(3);
  args.table_tokens = cos.extent(0);
  args.x_batch_stride = x.stride(0), args.x_token_stride = x.stride(1);
  args.x_head_stride = x.stride(2);
  args.out_batch_stride = out.stride(0), args.out_token_stride = out.stride(1);
  args.out_head_stride = out.stride(2);
  args.eps = static_cast<float>(test.item().number("eps"));
  args.layout = test.item().text("layout") == "half-split" ? RopeLayout::kHalfSplit
                                                           : RopeLayout::kInterleaved;
  args.dtype = x.dtype;
  args.weight_dtype = weight.dtype;
  test.run({[&](const Place& at) {
              args.x = at(x), args.weight = at(weight), args.out = at(out);
              args.cos = static_cast<const float*>(at(cos));
              args.sin = static_cast<const float*>(at(sin));
            },
            [&] { oracle::rope(args); },
            [&] { return std::vector{plan_rope(args, test.traits())}; },
            &args,
            {&out}});
}

}  // namespace

void test_rope(Session& session) {
  for_each_case(session, "rope", [](TensorCase& test) {
    const std::string function = test.function();
    if (function == "rope") {
      run_rope(test, false);
      run_rope(test, true);
    } else {
      function == "ropeTable" ? run_rope_table(test) : run_rope_pool(test);
    }
  });
}

}  // namespace framepack::test
