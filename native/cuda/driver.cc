#include "driver.h"

#include <dlfcn.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

namespace framepack::cuda {
namespace {

constexpr const char* kSystemLibrary = "libcuda.so.1";
// nvcc 13 writes code for drivers of the release R580 and later, which report CUDA 13.0.
constexpr int kMinVersion = 13000;

constexpr Result kOutOfMemory = 2;
// After these the context of the process is unusable: device unavailable, ECC and NVLink errors,
// destroyed context, faults of a kernel, unknown error.
constexpr Result kSticky[] = {4,   46,  214, 220, 226, 700, 702, 709, 710,
                              714, 715, 716, 717, 718, 719, 721, 999};

// What helps when the driver does not come as far as a context.
struct Advice {
  Result result;
  const char* text;
};
constexpr Advice kAdvice[] = {
    {4, "the driver is shutting down: start a new process, and open devices after a fork only"},
    {34, "this is the stub of the CUDA toolkit: take its stubs folder off LD_LIBRARY_PATH"},
    {46,
     "another process holds the GPU alone or it is being reset: see nvidia-smi and its compute "
     "mode"},
    {100,
     "no GPU is visible: check nvidia-smi, CUDA_VISIBLE_DEVICES and, in a container, --gpus all"},
    {304, "check that this user may open /dev/nvidia* (groups video and render)"},
    {802, "start nvidia-fabricmanager, or wait until the system is ready"},
    {803, "library and kernel module of the driver differ after an update: restart the machine"},
    {804, "a forward-compatibility libcuda is in the way: take it off LD_LIBRARY_PATH"},
    {999,
     "load nvidia-uvm (sudo modprobe nvidia-uvm), reload it after a suspend (sudo modprobe -r "
     "nvidia-uvm first), and check that this user may open /dev/nvidia*"},
};

bool is_sticky(Result result) { return std::ranges::find(kSticky, result) != std::end(kSticky); }

[[noreturn]] void fail(const std::string& detail) {
  throw Error(kErrCudaDriver, "Device.open", detail);
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

class Library {
 public:
  explicit Library(const std::string& path) : path_(path) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) {
      const char* reason = dlerror();
      fail("driver expected the library " + path + ", got " + (reason ? reason : "no reason"));
    }
  }

  template <typename Function>
  void find(const char* symbol, Function& function) const {
    find_optional(symbol, function);
    if (function == nullptr) {
      fail("driver expected a CUDA driver with " + std::string(symbol) + ", got " + path_ +
           " without it");
    }
  }

  template <typename Function>
  void find_optional(const char* symbol, Function& function) const {
    function = reinterpret_cast<Function>(dlsym(handle_, symbol));
  }

 private:
  std::string path_;
  void* handle_;
};

std::unique_ptr<Driver> open_driver(const std::string& path) {
  const Library library(path);
  auto driver = std::make_unique<Driver>();
  library.find("cuInit", driver->init);
  library.find("cuDriverGetVersion", driver->get_version);
  library.find("cuGetErrorName", driver->get_error_name);
  library.find("cuGetErrorString", driver->get_error_string);
  library.find("cuDeviceGet", driver->device_get);
  library.find("cuDeviceGetCount", driver->device_get_count);
  library.find("cuDeviceGetName", driver->device_get_name);
  library.find("cuDeviceGetAttribute", driver->device_get_attribute);
  library.find("cuDevicePrimaryCtxRetain", driver->context_retain);
  library.find("cuDevicePrimaryCtxRelease_v2", driver->context_release);
  library.find("cuCtxPushCurrent_v2", driver->context_push);
  library.find("cuCtxPopCurrent_v2", driver->context_pop);
  library.find("cuModuleLoadData", driver->module_load);
  library.find("cuModuleUnload", driver->module_unload);
  library.find("cuModuleGetFunction", driver->module_get_function);
  library.find("cuFuncSetAttribute", driver->function_set_attribute);
  library.find("cuLaunchKernel", driver->launch_kernel);
  library.find("cuMemAlloc_v2", driver->memory_allocate);
  library.find("cuMemFree_v2", driver->memory_free);
  library.find("cuMemGetInfo_v2", driver->memory_get_info);
  library.find("cuMemHostAlloc", driver->host_allocate);
  library.find("cuMemFreeHost", driver->host_free);
  library.find("cuMemcpyHtoDAsync_v2", driver->copy_to_device);
  library.find("cuMemcpyDtoHAsync_v2", driver->copy_to_host);
  library.find("cuStreamCreate", driver->stream_create);
  library.find("cuStreamDestroy_v2", driver->stream_destroy);
  library.find("cuStreamSynchronize", driver->stream_synchronize);
  library.find("cuEventCreate", driver->event_create);
  library.find("cuEventDestroy_v2", driver->event_destroy);
  library.find("cuEventRecord", driver->event_record);
  library.find("cuEventSynchronize", driver->event_synchronize);
  library.find_optional("cudaSimDiagnosticCount", driver->diagnostic_count);
  return driver;
}

void check_version(const Driver& driver) {
  int version = 0;
  if (const Result result = driver.get_version(&version)) {
    throw driver.open_error(result, "driver expected to tell its version");
  }
  if (version < kMinVersion) {
    fail("driver expected R580 or newer (CUDA " + version_text(kMinVersion) +
         "), got one for CUDA " + version_text(version));
  }
}

}  // namespace

const Driver& Driver::load(const std::string& path) {
  // Never destroyed: threads of other environments may outlive static destruction.
  static std::mutex& mutex = *new std::mutex;
  static auto& loaded = *new std::map<std::string, std::unique_ptr<Driver>>;
  const std::string library = path.empty() ? kSystemLibrary : path;
  std::lock_guard lock(mutex);
  std::unique_ptr<Driver>& driver = loaded[library];
  if (!driver) {
    auto opened = open_driver(library);
    check_version(*opened);
    driver = std::move(opened);
  }
  return *driver;
}

std::string Driver::explain(Result result) const {
  const char* name = nullptr;
  const char* text = nullptr;
  get_error_name(result, &name);
  get_error_string(result, &text);
  if (name == nullptr) return "CUDA error " + std::to_string(result);
  return text == nullptr ? name : std::string(name) + " (" + text + ")";
}

Error Driver::error(Result result, const std::string& op) const {
  if (result == kOutOfMemory) {
    return Error(kErrOutOfMemory, op, "GPU expected free memory, got " + explain(result));
  }
  if (is_sticky(result)) {
    return Error(kErrDeviceLost, op,
                 "GPU expected to finish the operations up to this one, got " + explain(result) +
                     "; FRAMEPACK_SYNC=1 tells which of them failed");
  }
  return Error(kErrInternal, op, "driver expected to succeed, got " + explain(result));
}

Error Driver::open_error(Result result, const std::string& expected) const {
  if (result == kOutOfMemory) return error(result, "Device.open");
  const auto advice = std::ranges::find(kAdvice, result, &Advice::result);
  const std::string text = advice == std::end(kAdvice) ? "" : std::string("; ") + advice->text;
  return Error(kErrCudaDriver, "Device.open", expected + ", got " + explain(result) + text);
}

Error Driver::context_error(Result result, const std::string& expected) const {
  const bool is_driver = std::ranges::find(kAdvice, result, &Advice::result) != std::end(kAdvice);
  if (is_driver || !is_sticky(result)) return open_error(result, expected);
  return Error(kErrDeviceLost, "Device.open",
               "GPU expected a working context, got " + explain(result) +
                   ": an earlier fault has ruined it for this process");
}

void Driver::check(Result result, const char* op) const {
  if (result != 0) throw error(result, op);
}

}  // namespace framepack::cuda
