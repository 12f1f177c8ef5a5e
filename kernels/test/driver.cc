#include "driver.h"

#include <dlfcn.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace framepack::test {

using Address = unsigned long long;

struct Driver::Api {
  int (*init)(unsigned);
  int (*device_get)(int*, int);
  int (*device_name)(char*, int, int);
  int (*device_attribute)(int*, int, int);
  int (*context_retain)(void**, int);
  int (*context_set)(void*);
  int (*context_synchronize)();
  int (*module_load)(void**, const void*);
  int (*module_function)(void**, void*, const char*);
  int (*function_attribute)(void*, int, int);
  int (*allocate)(Address*, size_t);
  int (*release)(Address);
  int (*upload)(Address, const void*, size_t);
  int (*download)(void*, Address, size_t);
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                void**, void**);
  int (*error_string)(int, const char**);
};

namespace {

constexpr int kSharedBlockOptin = 97, kSharedSm = 81, kSmCount = 16;  // CUdevice_attribute
constexpr int kMajor = 75, kMinor = 76;
constexpr int kMaxDynamicShared = 8;  // CUfunction_attribute
constexpr unsigned kDefaultShared = 48 * 1024;
constexpr int kNoDevice = 100;  // CUresult

template <class Function>
void load(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  if (!function) throw std::runtime_error(std::string("driver has no ") + symbol);
}

}  // namespace

Driver::Driver(const std::string& library_file, const std::string& module_file) : api_(new Api) {
  void* library = dlopen(library_file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw NoDevice(dlerror());
  load(library, "cuInit", api_->init);
  load(library, "cuDeviceGet", api_->device_get);
  load(library, "cuDeviceGetName", api_->device_name);
  load(library, "cuDeviceGetAttribute", api_->device_attribute);
  load(library, "cuDevicePrimaryCtxRetain", api_->context_retain);
  load(library, "cuCtxSetCurrent", api_->context_set);
  load(library, "cuCtxSynchronize", api_->context_synchronize);
  load(library, "cuModuleLoadData", api_->module_load);
  load(library, "cuModuleGetFunction", api_->module_function);
  load(library, "cuFuncSetAttribute", api_->function_attribute);
  load(library, "cuMemAlloc_v2", api_->allocate);
  load(library, "cuMemFree_v2", api_->release);
  load(library, "cuMemcpyHtoD_v2", api_->upload);
  load(library, "cuMemcpyDtoH_v2", api_->download);
  load(library, "cuLaunchKernel", api_->launch);
  load(library, "cuGetErrorString", api_->error_string);

  int device = 0;
  const int started = api_->init(0);
  if (started == kNoDevice) throw NoDevice("cuInit: no device");
  check(started, "cuInit");
  check(api_->device_get(&device, 0), "cuDeviceGet");
  char name[128] = {};
  check(api_->device_name(name, sizeof name, device), "cuDeviceGetName");
  name_ = name;
  const auto attribute = [&](int which) {
    int value = 0;
    check(api_->device_attribute(&value, which, device), "cuDeviceGetAttribute");
    return value;
  };
  traits_ = {attribute(kMajor) * 10 + attribute(kMinor),
             static_cast<unsigned>(attribute(kSharedBlockOptin)),
             static_cast<unsigned>(attribute(kSharedSm)), attribute(kSmCount)};
  check(api_->context_retain(&context_, device), "cuDevicePrimaryCtxRetain");
  check(api_->context_set(context_), "cuCtxSetCurrent");

  std::ifstream file(module_file, std::ios::binary);
  std::vector<char> image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (image.empty()) throw std::runtime_error("cannot read " + module_file);
  image.push_back('\0');  // PTX is text
  check(api_->module_load(&module_, image.data()), "cuModuleLoadData");
}

Driver::~Driver() { delete api_; }

void Driver::check(int result, const char* what) const {
  if (result == 0) return;
  const char* text = "unknown error";
  api_->error_string(result, &text);
  throw std::runtime_error(std::string(what) + ": " + text);
}

void* Driver::allocate(size_t bytes) {
  Address address = 0;
  check(api_->allocate(&address, bytes), "cuMemAlloc");
  return reinterpret_cast<void*>(address);
}

void Driver::release(void* pointer) {
  check(api_->release(reinterpret_cast<Address>(pointer)), "cuMemFree");
}

void Driver::upload(void* device, const void* host, size_t bytes) {
  check(api_->upload(reinterpret_cast<Address>(device), host, bytes), "cuMemcpyHtoD");
}

void Driver::download(void* host, const void* device, size_t bytes) {
  check(api_->download(host, reinterpret_cast<Address>(device), bytes), "cuMemcpyDtoH");
}

void Driver::run(const Launch& launch, const void* args) {
  void* function = nullptr;
  check(api_->module_function(&function, module_, launch.kernel), launch.kernel);
  if (launch.shared_bytes > kDefaultShared) {
    check(api_->function_attribute(function, kMaxDynamicShared,
                                   static_cast<int>(launch.shared_bytes)),
          launch.kernel);
  }
  void* parameters[] = {const_cast<void*>(args)};
  check(api_->launch(function, launch.grid[0], launch.grid[1], launch.grid[2], launch.block[0],
                     launch.block[1], launch.block[2], launch.shared_bytes, nullptr, parameters,
                     nullptr),
        launch.kernel);
  check(api_->context_synchronize(), launch.kernel);
}

}  // namespace framepack::test
