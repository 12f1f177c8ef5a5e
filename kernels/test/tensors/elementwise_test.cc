#include <algorithm>
#include <map>

#include "../../elementwise/elementwise_config.h"
#include "../../elementwise/elementwise_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

std::vector<long long> broadcast(const std::vector<long long>& a, const std::vector<long long>& b) {
  std::vector<long long> shape(std::max(a.size(), b.size()), 1);
  const auto merge = [&](const std::vector<long long>& from) {
    const size_t skipped = shape.size() - from.size();
    for (size_t axis = 0; axis < from.size(); ++axis) {
      if (from[axis] != 1) shape[skipped + axis] = from[axis];
    }
  };
  merge(a);
  merge(b);
  return shape;
}

// A tensor of the case, or its number as a tensor of one element.
Tensor operand(TensorCase& test, const std::string& name) {
  if (!test.item().has(name) || test.item().is_array(name)) return test.input(name);
  return test.numbers(DType::kF32, {test.item().number(name)});
}

void run_case(TensorCase& test) {
  static const std::map<std::string, ElementwiseOp> kOperations = {
      {"add", ElementwiseOp::kAdd},         {"sub", ElementwiseOp::kSub},
      {"mul", ElementwiseOp::kMul},         {"div", ElementwiseOp::kDiv},
      {"lerp", ElementwiseOp::kLerp},       {"affine", ElementwiseOp::kAffine},
      {"clamp", ElementwiseOp::kClamp},     {"geluTanh", ElementwiseOp::kGeluTanh},
      {"silu", ElementwiseOp::kSilu},       {"quickGelu", ElementwiseOp::kQuickGelu},
      {"exp", ElementwiseOp::kExp},         {"relu", ElementwiseOp::kRelu},
      {"tanh", ElementwiseOp::kTanh},       {"sqrt", ElementwiseOp::kSqrt},
      {"rsqrt", ElementwiseOp::kRsqrt},     {"log", ElementwiseOp::kLog},
      {"maximum", ElementwiseOp::kMaximum}, {"minimum", ElementwiseOp::kMinimum},
      {"equal", ElementwiseOp::kEqual},     {"notEqual", ElementwiseOp::kNotEqual},
      {"less", ElementwiseOp::kLess},       {"lessEqual", ElementwiseOp::kLessEqual},
      {"greater", ElementwiseOp::kGreater}, {"greaterEqual", ElementwiseOp::kGreaterEqual},
      {"where", ElementwiseOp::kWhere}};
  ElementwiseArgs args{};
  args.op = kOperations.at(test.function());
  const bool is_unary = args.op >= ElementwiseOp::kAffine && args.op < ElementwiseOp::kMaximum;
  const bool is_where = args.op == ElementwiseOp::kWhere;
  const bool is_comparison = args.op >= ElementwiseOp::kEqual && !is_where;
  const bool is_clamp = args.op == ElementwiseOp::kClamp;
  Tensor a = test.input(is_unary ? "x" : "a"), b = operand(test, "b");
  Tensor c = operand(test, is_where ? "condition" : "weight");
  std::vector<long long> shape = a.shape;
  if (b.exists()) shape = broadcast(shape, b.shape);
  if (c.exists()) shape = broadcast(shape, c.shape);
  Tensor out = test.output(is_comparison ? DType::kU8 : a.dtype, shape);

  args.rank = out.rank();
  std::copy(shape.begin(), shape.end(), args.shape);
  std::copy(out.strides.begin(), out.strides.end(), args.out_stride);
  const auto set_strides = [&](const Tensor& tensor, long long* strides) {
    if (!tensor.exists()) return;
    const std::vector<long long> values = tensor.broadcast_strides(shape);
    std::copy(values.begin(), values.end(), strides);
  };
  set_strides(a, args.a_stride);
  set_strides(b, args.b_stride);
  set_strides(c, args.c_stride);
  args.alpha = static_cast<float>(test.item().number(is_clamp ? "min" : "alpha"));
  args.beta = static_cast<float>(test.item().number(is_clamp ? "max" : "beta"));
  args.a_dtype = a.dtype, args.b_dtype = b.dtype;
  args.c_dtype = c.dtype, args.out_dtype = out.dtype;
  test.run(
      {[&](const Place& at) { args.a = at(a), args.b = at(b), args.c = at(c), args.out = at(out); },
       [&] { oracle::elementwise(args); },
       [&] { return std::vector{plan_elementwise(args, test.traits())}; },
       &args,
       {&out}});
}

}  // namespace

void test_elementwise(Session& session) { for_each_case(session, "elementwise", run_case); }

}  // namespace framepack::test
