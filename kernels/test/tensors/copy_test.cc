#include <algorithm>
#include <stdexcept>

#include "../../copy/copy_config.h"
#include "../../copy/copy_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

void run_copy(TensorCase& test, Tensor& x, Tensor& out) {
  CopyArgs args{};
  args.rank = out.rank();
  std::copy(out.shape.begin(), out.shape.end(), args.shape);
  std::copy(x.strides.begin(), x.strides.end(), args.x_stride);
  std::copy(out.strides.begin(), out.strides.end(), args.out_stride);
  args.x_dtype = x.dtype;
  args.out_dtype = out.dtype;
  test.run({[&](const Place& at) { args.x = at(x), args.out = at(out); },
            [&] { oracle::copy(args); },
            [&] { return std::vector{plan_copy(args, test.traits())}; },
            &args,
            {&out}});
}

// Every part into its slice of the whole.
void run_concat(TensorCase& test) {
  std::vector<Tensor> parts;
  for (int i = 0; test.item().has("part" + std::to_string(i)); ++i) {
    parts.push_back(test.input("part" + std::to_string(i)));
  }
  const long long wanted = test.item().integer("axis");
  const size_t axis = static_cast<size_t>(wanted < 0 ? parts[0].rank() + wanted : wanted);
  std::vector<long long> shape = parts[0].shape;
  shape[axis] = 0;
  for (const Tensor& part : parts) shape[axis] += part.shape[axis];
  Tensor whole = test.output(test.dtype(), shape);
  for (Tensor& part : parts) {
    whole.shape = part.shape;
    run_copy(test, part, whole);
    whole.offset += part.shape[axis] * whole.strides[axis];
  }
}

void run_fill(TensorCase& test, Tensor& out) {
  FillArgs args{};
  args.count = out.count();
  args.value = static_cast<float>(test.item().number("value"));
  args.dtype = out.dtype;
  test.run({[&](const Place& at) { args.out = at(out); },
            [&] { oracle::fill(args); },
            [&] { return std::vector{plan_fill(args, test.traits())}; },
            &args,
            {&out}});
}

// A tensor, and one that begins at an odd element.
void run_full(TensorCase& test) {
  const DType dtype = test.item().dtype("dtype", DType::kF32);
  Tensor out = test.output(dtype, test.item().list("shape"));
  run_fill(test, out);
  const long long count = out.count();
  Tensor odd = test.output(dtype, {count + 1});
  odd.shape = {count};
  odd.offset = 1;
  run_fill(test, odd);
}

// Sets rows, width and group_width from the mode of the case.
template <class Args>
void set_groups(const TensorCase& test, const Tensor& matrix, Args& args) {
  const std::string mode = test.item().text("mode");
  args.rows = mode == "tensor" ? 1 : matrix.extent(0);
  args.width = mode == "tensor" ? matrix.count() : matrix.extent(1);
  args.group_width = mode == "block64" ? 64 : args.width;
}

void run_quantize(TensorCase& test) {
  Tensor w = test.input("weight");
  QuantizeArgs args{};
  set_groups(test, w, args);
  args.dtype = w.dtype;
  Tensor q = test.output(DType::kF8E4M3, w.shape);
  Tensor scale = test.output(DType::kF32, {args.rows, args.width / args.group_width});
  test.run({[&](const Place& at) {
              args.w = at(w), args.q = at(q), args.scale = static_cast<float*>(at(scale));
            },
            [&] { oracle::quantize(args); },
            [&] {
              const auto launches = plan_quantize(args, test.traits());
              return std::vector<Launch>(launches.begin(), launches.end());
            },
            &args,
            {&q, &scale}});
}

void run_dequantize(TensorCase& test) {
  Tensor q = test.input("data"), scale = test.input("scale");
  Tensor out = test.output(test.item().dtype("dtype", DType::kF32), q.shape);
  DequantizeArgs args{};
  set_groups(test, q, args);
  args.dtype = out.dtype;
  test.run({[&](const Place& at) {
              args.q = at(q), args.scale = static_cast<const float*>(at(scale)), args.out = at(out);
            },
            [&] { oracle::dequantize(args); },
            [&] { return std::vector{plan_dequantize(args, test.traits())}; },
            &args,
            {&out}});
}

void run_case(TensorCase& test) {
  const std::string function = test.function();
  if (function == "concat") return run_concat(test);
  if (function == "full") return run_full(test);
  if (function == "quantizeFp8") return run_quantize(test);
  if (function == "dequantizeFp8") return run_dequantize(test);
  Tensor x = test.input("x");
  if (function == "copyInto") {
    Tensor target = test.input("target");
    run_copy(test, x, target);
  } else if (function == "cast" || function == "contiguous") {
    Tensor out = test.output(test.item().dtype("dtype", x.dtype), x.shape);
    run_copy(test, x, out);
  } else {
    throw std::runtime_error("unknown function " + function);
  }
}

}  // namespace

void test_copy(Session& session) { for_each_case(session, "copy", run_case); }

}  // namespace framepack::test
