#include <map>

#include "../../ggml/ggml_config.h"
#include "../../ggml/ggml_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

const std::map<std::string, GgmlType> kTypes = {
    {"Q4_0", GgmlType::kQ4_0}, {"Q4_1", GgmlType::kQ4_1}, {"Q5_0", GgmlType::kQ5_0},
    {"Q5_1", GgmlType::kQ5_1}, {"Q8_0", GgmlType::kQ8_0}, {"Q4_K", GgmlType::kQ4K},
    {"Q5_K", GgmlType::kQ5K},  {"Q6_K", GgmlType::kQ6K}};

void run_dequantize_ggml(TensorCase& test) {
  Tensor blocks = test.input("x");
  DequantizeGgmlArgs args{};
  args.type = kTypes.at(test.item().text("type"));
  args.count = blocks.count() / ggml_block(args.type).bytes * ggml_block(args.type).elements;
  args.dtype = test.item().dtype("dtype", DType::kF32);
  Tensor out = test.output(args.dtype, {args.count});
  test.run({[&](const Place& at) { args.blocks = at(blocks), args.out = at(out); },
            [&] { oracle::dequantize_ggml(args); },
            [&] { return std::vector{plan_dequantize_ggml(args, test.traits())}; },
            &args,
            {&out}});
}

}  // namespace

void test_ggml(Session& session) { for_each_case(session, "ggml", run_dequantize_ggml); }

}  // namespace framepack::test
