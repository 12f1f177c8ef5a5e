// Runs the kernels of framepack.fatbin against the oracles on every case of kernels/<op>/cases.json.
//
//   kernel_test --driver=<libcuda> --module=<fatbin> [--root=<repository>] [--cases=<files>]
//               [--hashes=<file>] [family ...]
//
// The driver is a real libcuda.so.1 or the virtual one, whose checks are on unless CUDA_SIM_CHECK is set
// already. In <files> a % stands for the family. --hashes writes a hash of every result. Exit status 1 on
// a failure, a module that does not load included; 77 without a driver library or a device.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "session.h"

namespace framepack::test {
namespace {

const std::map<std::string, void (*)(Session&)> kFamilies = {{"matmul", test_matmul},
                                                             {"attention", test_attention},
                                                             {"norm", test_norm},
                                                             {"rope", test_rope},
                                                             {"conv3d", test_conv3d},
                                                             {"patchify", test_patchify},
                                                             {"elementwise", test_elementwise},
                                                             {"reduce", test_reduce},
                                                             {"copy", test_copy},
                                                             {"gather", test_gather},
                                                             {"scan", test_scan},
                                                             {"ggml", test_ggml}};

int run(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> options = {{"driver", "libcuda.so.1"}, {"root", "."}};
  std::vector<std::string> families;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (argument.rfind("--", 0) == 0 && equals != std::string::npos) {
      options[argument.substr(2, equals - 2)] = argument.substr(equals + 1);
    } else {
      families.push_back(argument);
    }
  }
  if (families.empty()) {
    for (const auto& [name, test] : kFamilies) families.push_back(name);
  }
  setenv("CUDA_SIM_CHECK", "1", 0);
  std::unique_ptr<Driver> driver;
  try {
    driver = std::make_unique<Driver>(options["driver"], options["module"]);
  } catch (const NoDevice& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  if (options["cases"].empty()) options["cases"] = options["root"] + "/kernels/%/cases.json";
  Session session(*driver, options["cases"], options["hashes"]);
  for (const std::string& family : families) kFamilies.at(family)(session);
  return session.report();
}

}  // namespace
}  // namespace framepack::test

int main(int argc, char** argv) {
  try {
    return framepack::test::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kernel_test: %s\n", error.what());
    return 1;
  }
}
