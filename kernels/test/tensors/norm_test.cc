#include "../../norm/norm_config.h"
#include "../../norm/norm_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

void run_layer_norm(TensorCase& test) {
  Tensor x = test.input("x"), weight = test.input("weight"), bias = test.input("bias");
  Tensor scale = test.input("scale"), shift = test.input("shift");
  Tensor out = test.output(x.dtype, x.shape);
  const Tensor& affine = weight.exists() ? weight : bias;
  const Tensor& modulation = scale.exists() ? scale : shift;
  LayerNormArgs args{};
  args.width = x.shape.back();
  args.rows = x.count() / args.width;
  args.x_row_stride = x.rank() > 1 ? x.stride(x.rank() - 2) : args.width;
  args.rows_per_modulation = modulation.exists() ? args.rows / modulation.extent(0) : 1;
  args.modulation_row_stride = modulation.exists() ? modulation.stride(0) : 0;
  args.eps = static_cast<float>(test.item().number("eps"));
  args.dtype = x.dtype;
  args.affine_dtype = affine.dtype;
  args.modulation_dtype = modulation.dtype;
  test.run({[&](const Place& at) {
              args.x = at(x), args.weight = at(weight), args.bias = at(bias);
              args.scale = at(scale), args.shift = at(shift), args.out = at(out);
            },
            [&] { oracle::layer_norm(args); },
            [&] { return std::vector{plan_layer_norm(args, test.traits())}; },
            &args,
            {&out}});
}

void run_rms_norm(TensorCase& test) {
  Tensor x = test.input("x"), weight = test.input("weight");
  Tensor out = test.output(x.dtype, x.shape);
  RmsNormArgs args{};
  args.width = x.shape.back();
  args.rows = x.count() / args.width;
  args.x_row_stride = x.stride(x.rank() - 2);
  args.eps = static_cast<float>(test.item().number("eps"));
  args.dtype = x.dtype;
  args.weight_dtype = weight.dtype;
  test.run({[&](const Place& at) { args.x = at(x), args.weight = at(weight), args.out = at(out); },
            [&] { oracle::rms_norm(args); },
            [&] { return std::vector{plan_rms_norm(args, test.traits())}; },
            &args,
            {&out}});
}

void run_group_norm(TensorCase& test) {
  Tensor x = test.input("x"), weight = test.input("weight"), bias = test.input("bias");
  Tensor out = test.output(x.dtype, x.shape);
  GroupNormArgs args{};
  args.batch = x.extent(0);
  args.channels = x.shape.back();
  args.positions = 1;
  for (long long axis = 1; axis < x.rank() - 1; ++axis) args.positions *= x.extent(axis);
  args.groups = test.item().integer("groups");
  args.eps = static_cast<float>(test.item().number("eps"));
  args.silu = test.item().flag("silu");
  args.dtype = x.dtype;
  args.affine_dtype = weight.dtype;
  Operand workspace = test.scratch(group_norm_workspace_bytes(args));
  args.workspace = workspace.device();
  test.run({[&](const Place& at) {
              args.x = at(x), args.weight = at(weight), args.bias = at(bias), args.out = at(out);
            },
            [&] { oracle::group_norm(args); },
            [&] {
              const auto launches = plan_group_norm(args, test.traits());
              return std::vector<Launch>(launches.begin(), launches.end());
            },
            &args,
            {&out}});
}

}  // namespace

void test_norm(Session& session) {
  for_each_case(session, "norm", [](TensorCase& test) {
    const std::string function = test.function();
    function == "layerNorm" ? run_layer_norm(test)
    : function == "rmsNorm" ? run_rms_norm(test)
                            : run_group_norm(test);
  });
}

}  // namespace framepack::test
