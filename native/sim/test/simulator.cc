#include "test/simulator.h"

#include <fstream>
#include <iterator>

namespace cudasim::test {

std::vector<TestCase>& test_cases() {
  static std::vector<TestCase> cases;
  return cases;
}

void require(bool condition, const std::string& what, const char* file, int line) {
  if (condition) return;
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

void check(CUresult result, const char* what) {
  if (result == CUDA_SUCCESS) return;
  const char* text = "unknown error";
  cuGetErrorString(result, &text);
  throw std::runtime_error(std::string(what) + " -> " + std::to_string(result) + ": " + text);
}

Environment::Environment(std::initializer_list<std::pair<const char*, const char*>> variables) {
  for (const auto& [name, value] : variables) {
    names_.push_back(std::string("CUDA_SIM_") + name);
    setenv(names_.back().c_str(), value, 1);
  }
  cudaSimReset();
}

Environment::~Environment() {
  for (const std::string& name : names_) unsetenv(name.c_str());
  cudaSimReset();
}

TestModule::TestModule(const std::string& name) {
  const char* folder = std::getenv("SIM_TEST_FATBINS");
  std::ifstream file(std::string(folder ? folder : ".") + "/" + name + ".fatbin", std::ios::binary);
  if (!file) throw Skip("nvcc is not here: no " + name + ".fatbin");
  const std::string image{std::istreambuf_iterator<char>(file), {}};
  CHECK(cuModuleLoadData(&module_, image.data()));
}

TestModule::~TestModule() { cuModuleUnload(module_); }

CUfunction TestModule::function(const char* name) const {
  CUfunction function = nullptr;
  CHECK(cuModuleGetFunction(&function, module_, name));
  return function;
}

std::string findings() {
  std::string all;
  for (size_t i = 0; i < cudaSimDiagnosticCount(); ++i) {
    if (const char* text = cudaSimDiagnosticText(i)) all += std::string(text) + "\n";
  }
  return all;
}

}  // namespace cudasim::test
