// The part of the CUDA Driver API that the device uses, declared here and loaded when the first CUDA
// device is opened: neither the build nor the addon needs anything of CUDA.
#pragma once
#include <cstddef>
#include <string>

#include "../core/error.h"

namespace framepack::cuda {

// CUresult: 0 is success.
using Result = int;
using Ordinal = int;                 // CUdevice
using Address = unsigned long long;  // CUdeviceptr
using ContextHandle = struct CUctx_st*;
using ModuleHandle = struct CUmod_st*;
using FunctionHandle = struct CUfunc_st*;
using StreamHandle = struct CUstream_st*;
using EventHandle = struct CUevent_st*;

inline Address address_of(const void* device_pointer) {
  return reinterpret_cast<Address>(device_pointer);
}

struct Driver {
  // The library `path`, or libcuda.so.1 when it is empty. A library is loaded once per process and
  // stays; any thread may call. Throws ERR_CUDA_DRIVER for a library that cannot be loaded, lacks
  // functions or is too old for the kernels.
  static const Driver& load(const std::string& path);

  // What JavaScript sees of a failure of `op`.
  Error error(Result result, const std::string& op) const;
  // Throws error(result, op) for a failure.
  void check(Result result, const char* op) const;
  // What JavaScript sees when a device does not open because of `result`; `expected` says what should
  // have been. Before this process has a context no kernel of it can have failed: every result is an
  // ERR_CUDA_DRIVER with advice of its own.
  Error open_error(Result result, const std::string& expected) const;
  // The same for cuDevicePrimaryCtxRetain, which also reports that an earlier fault ruined the context.
  Error context_error(Result result, const std::string& expected) const;
  // "CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)"
  std::string explain(Result result) const;

  Result (*init)(unsigned flags);
  Result (*get_version)(int* version);
  Result (*get_error_name)(Result result, const char** name);
  Result (*get_error_string)(Result result, const char** text);
  Result (*device_get)(Ordinal* device, int ordinal);
  Result (*device_get_count)(int* count);
  Result (*device_get_name)(char* name, int bytes, Ordinal device);
  Result (*device_get_attribute)(int* value, int attribute, Ordinal device);
  Result (*context_retain)(ContextHandle* context, Ordinal device);
  Result (*context_release)(Ordinal device);
  Result (*context_push)(ContextHandle context);
  Result (*context_pop)(ContextHandle* context);
  Result (*module_load)(ModuleHandle* module, const void* image);
  Result (*module_unload)(ModuleHandle module);
  Result (*module_get_function)(FunctionHandle* function, ModuleHandle module, const char* name);
  Result (*function_set_attribute)(FunctionHandle function, int attribute, int value);
  Result (*launch_kernel)(FunctionHandle function, unsigned grid_x, unsigned grid_y,
                          unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                          unsigned shared_bytes, StreamHandle stream, void** parameters,
                          void** extra);
  Result (*memory_allocate)(Address* address, size_t bytes);
  Result (*memory_free)(Address address);
  Result (*memory_get_info)(size_t* free_bytes, size_t* total_bytes);
  Result (*host_allocate)(void** memory, size_t bytes, unsigned flags);
  Result (*host_free)(void* memory);
  Result (*copy_to_device)(Address to, const void* from, size_t bytes, StreamHandle stream);
  Result (*copy_to_host)(void* to, Address from, size_t bytes, StreamHandle stream);
  Result (*stream_create)(StreamHandle* stream, unsigned flags);
  Result (*stream_destroy)(StreamHandle stream);
  Result (*stream_synchronize)(StreamHandle stream);
  Result (*event_create)(EventHandle* event, unsigned flags);
  Result (*event_destroy)(EventHandle event);
  Result (*event_record)(EventHandle event, StreamHandle stream);
  Result (*event_synchronize)(EventHandle event);

  // Number of findings of the virtual driver's checks; null in other drivers.
  size_t (*diagnostic_count)();
};

}  // namespace framepack::cuda
