#include "module.h"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace framepack::cuda {
namespace {

constexpr const char* kFile = "framepack.fatbin";
constexpr const char* kAdvice =
    "; run \"npm run build:cuda\" (needs nvcc), or reinstall the package";
constexpr unsigned kDefaultSharedLimit = 48 * 1024;
constexpr int kMaxDynamicShared = 8;  // CUfunction_attribute

// Packages hold the file beside the addon; a checkout builds the two into neighbouring folders.
std::string find_fatbin() {
  namespace fs = std::filesystem;
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&find_fatbin), &self) == 0) return {};
  const fs::path folder = fs::absolute(self.dli_fname).parent_path();
  std::error_code ignored;
  for (const fs::path& path : {folder / kFile, folder.parent_path() / "kernels" / kFile}) {
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  throw Error(
      kErrNativeLoad, "Device.open",
      "kernels expected " + std::string(kFile) + " in " + folder.string() + ", got none" + kAdvice);
}

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.empty()) {
    throw Error(kErrNativeLoad, "Device.open",
                "kernels expected a readable file, got nothing from " + path + kAdvice);
  }
  return bytes;
}

}  // namespace

Module::Module(const Context& context) : context_(context), path_(find_fatbin()) {
  const std::vector<char> image = read_file(path_);
  const Context::Scope scope(context_);
  const Driver& driver = context_.driver();
  const Result result = driver.module_load(&handle_, image.data());
  if (result != 0) {
    throw driver.context_error(result,
                               "kernels expected code for " + context_.name() + " in " + path_);
  }
}

Module::~Module() {
  const Context::Scope scope(context_);
  context_.driver().module_unload(handle_);
}

Module::Function& Module::find(const char* op, const char* kernel) {
  const auto known = functions_.find(kernel);
  if (known != functions_.end()) return known->second;
  FunctionHandle handle = nullptr;
  const Result result = context_.driver().module_get_function(&handle, handle_, kernel);
  constexpr Result kNotFound = 500;
  if (result == kNotFound) {
    throw Error(kErrNativeLoad, op,
                "kernels expected " + std::string(kernel) + " in " + path_ +
                    ", got an older build" + kAdvice);
  }
  context_.driver().check(result, op);
  return functions_.emplace(kernel, Function{handle, kDefaultSharedLimit}).first->second;
}

void Module::launch(const char* op, const Launch& launch, const void* args, StreamHandle stream) {
  const Driver& driver = context_.driver();
  Function& function = find(op, launch.kernel);
  if (launch.shared_bytes > function.shared_limit) {
    driver.check(driver.function_set_attribute(function.handle, kMaxDynamicShared,
                                               static_cast<int>(launch.shared_bytes)),
                 op);
    function.shared_limit = launch.shared_bytes;
  }
  void* parameters[] = {const_cast<void*>(args)};
  driver.check(driver.launch_kernel(function.handle, launch.grid[0], launch.grid[1], launch.grid[2],
                                    launch.block[0], launch.block[1], launch.block[2],
                                    launch.shared_bytes, stream, parameters, nullptr),
               op);
}

}  // namespace framepack::cuda
