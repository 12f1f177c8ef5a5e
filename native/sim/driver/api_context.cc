// Initialisation, the device, contexts, errors and the simulator's own controls.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <vector>

#include "check/profile.h"
#include "device_memory.h"
#include "diagnostics.h"
#include "driver/context.h"
#include "settings.h"

using namespace cudasim;

namespace cudasim {
namespace {

std::atomic<bool> g_is_initialised{false};
std::atomic<int> g_primary_references{0};
int g_context_tag;  // its address is the primary context's handle
thread_local std::vector<CUcontext> t_contexts{nullptr};

CUcontext primary_context() { return reinterpret_cast<CUcontext>(&g_context_tag); }

struct ErrorText {
  CUresult error;
  const char *name, *text;
};

constexpr ErrorText kErrors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CUDA_ERROR_INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX compilation failed"},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS",
     "an illegal memory access was encountered"},
    {CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
     "too many resources requested for launch"},
    {CUDA_ERROR_LAUNCH_TIMEOUT, "CUDA_ERROR_LAUNCH_TIMEOUT",
     "the launch timed out and was terminated"},
    {CUDA_ERROR_ASSERT, "CUDA_ERROR_ASSERT", "device-side assert triggered"},
    {CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED",
     "part or all of the requested memory range is already mapped"},
    {CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED",
     "pointer does not correspond to a registered memory region"},
    {CUDA_ERROR_MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
};

const ErrorText* find_error(CUresult error) {
  const auto* found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                   [&](const ErrorText& e) { return e.error == error; });
  return found == std::end(kErrors) ? nullptr : found;
}

int attribute_value(CUdevice_attribute attribute) {
  const Settings& s = settings();
  switch (attribute) {
    case 1: return 1024;                 // MAX_THREADS_PER_BLOCK
    case 2: return 1024;                 // MAX_BLOCK_DIM_X
    case 3: return 1024;                 // MAX_BLOCK_DIM_Y
    case 4: return 64;                   // MAX_BLOCK_DIM_Z
    case 5: return 0x7fffffff;           // MAX_GRID_DIM_X
    case 6: return 65535;                // MAX_GRID_DIM_Y
    case 7: return 65535;                // MAX_GRID_DIM_Z
    case 8: return 48 * 1024;            // MAX_SHARED_MEMORY_PER_BLOCK
    case 9: return 65536;                // TOTAL_CONSTANT_MEMORY
    case 10: return 32;                  // WARP_SIZE
    case 12: return 65536;               // MAX_REGISTERS_PER_BLOCK
    case 13: return 1000000;             // CLOCK_RATE, kHz
    case 15: return 1;                   // GPU_OVERLAP
    case 16: return s.multiprocessors;   // MULTIPROCESSOR_COUNT
    case 31: return 1;                   // CONCURRENT_KERNELS
    case 36: return 1000000;             // MEMORY_CLOCK_RATE, kHz
    case 37: return 64;                  // GLOBAL_MEMORY_BUS_WIDTH
    case 38: return 4 << 20;             // L2_CACHE_SIZE
    case 39: return 1536;                // MAX_THREADS_PER_MULTIPROCESSOR
    case 40: return 1;                   // ASYNC_ENGINE_COUNT
    case 41: return 1;                   // UNIFIED_ADDRESSING
    case 75: return s.capability_major;  // COMPUTE_CAPABILITY_MAJOR
    case 76: return s.capability_minor;  // COMPUTE_CAPABILITY_MINOR
    case 81:
      return static_cast<int>(s.shared_limit) + 1024;  // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    case 82: return 65536;                             // MAX_REGISTERS_PER_MULTIPROCESSOR
    case 97: return static_cast<int>(s.shared_limit);  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    case 106: return 16;                               // MAX_BLOCKS_PER_MULTIPROCESSOR
    case 111: return 1024;                             // RESERVED_SHARED_MEMORY_PER_BLOCK
    default: return 0;
  }
}

}  // namespace

CUresult check_context() {
  if (!g_is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (t_contexts.back() != primary_context() || g_primary_references == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  return StreamEngine::instance().status();
}

CUresult refuse(CUresult error, const char* function, const std::string& reason) {
  std::fprintf(stderr, "cuda_sim: %s: %s\n", function, reason.c_str());
  return error;
}

HandleTable& HandleTable::instance() {
  static HandleTable& table = *new HandleTable;
  return table;
}

LoadedModule* HandleTable::module(CUmodule handle) {
  std::lock_guard lock(mutex);
  const auto found = modules.find(handle);
  return found == modules.end() ? nullptr : found->second.get();
}

Event* HandleTable::event(CUevent handle) {
  std::lock_guard lock(mutex);
  const auto found = events.find(handle);
  return found == events.end() ? nullptr : found->second.get();
}

}  // namespace cudasim

CUresult cuInit(unsigned flags) {
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (!g_is_initialised.exchange(true)) reload_settings();
  return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
  *version = 13000;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char** name) {
  const ErrorText* found = find_error(error);
  *name = found ? found->name : nullptr;
  return found ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  const ErrorText* found = find_error(error);
  *text = found ? found->text : nullptr;
  // An error of a kernel says more here than on hardware: the last finding.
  static thread_local std::string explained;
  const bool is_kernel_error =
      error >= CUDA_ERROR_ILLEGAL_ADDRESS && error <= CUDA_ERROR_LAUNCH_FAILED;
  if (const std::string last = DiagnosticLog::instance().last(); is_kernel_error && !last.empty()) {
    explained = last;
    *text = explained.c_str();
  }
  return found ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  if (!g_is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  *device = ordinal;
  return ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetCount(int* count) {
  *count = 1;
  return g_is_initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

CUresult cuDeviceGetName(char* name, int bytes, CUdevice device) {
  if (device != 0 || bytes <= 0) return CUDA_ERROR_INVALID_DEVICE;
  std::snprintf(name, static_cast<size_t>(bytes), "CUDA simulator");
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
  *value = attribute_value(attribute);
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
  *bytes = settings().memory_limit;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  if (!g_is_initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
  ++g_primary_references;
  *context = primary_context();
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  if (device != 0) return CUDA_ERROR_INVALID_DEVICE;
  if (g_primary_references == 0) return CUDA_ERROR_INVALID_CONTEXT;
  if (g_primary_references == 1) StreamEngine::instance().synchronise_all();
  --g_primary_references;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  if (context && context != primary_context()) return CUDA_ERROR_INVALID_CONTEXT;
  t_contexts.back() = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = t_contexts.back();
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  if (context != primary_context()) return CUDA_ERROR_INVALID_CONTEXT;
  t_contexts.push_back(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (t_contexts.size() < 2) return CUDA_ERROR_INVALID_CONTEXT;
  if (context) *context = t_contexts.back();
  t_contexts.pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice* device) {
  *device = 0;
  return t_contexts.back() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult cuCtxSynchronize() {
  if (const CUresult error = check_context()) return error;
  return StreamEngine::instance().synchronise_all();
}

size_t cudaSimDiagnosticCount() { return DiagnosticLog::instance().count(); }

const char* cudaSimDiagnosticText(size_t index) { return DiagnosticLog::instance().text(index); }

void cudaSimReset() {
  StreamEngine::instance().reset();
  DiagnosticLog::instance().clear();
  ProfileLog::instance().clear();
  reload_settings();
}

int cudaSimWriteProfile() { return ProfileLog::instance().write() ? 0 : 1; }
