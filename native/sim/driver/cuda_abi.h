// The part of the CUDA Driver API ABI that the virtual driver implements: types, constants,
// exported functions. Names, signatures and values are those of libcuda, so a program loads either
// library the same way.
#pragma once

#include <cstddef>
#include <cstdint>

using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;
using CUstream = struct CUstream_st*;
using CUevent = struct CUevent_st*;
using CUhostFn = void (*)(void* user_data);
using CUdevice_attribute = int;
using CUfunction_attribute = int;
using CUjit_option = int;

enum CUresult : int {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_ASSERT = 710,
  CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED = 712,
  CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED = 713,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_SUPPORTED = 801,
};

#define CUDA_SIM_EXPORT extern "C" __attribute__((visibility("default")))

CUDA_SIM_EXPORT CUresult cuInit(unsigned flags);
CUDA_SIM_EXPORT CUresult cuDriverGetVersion(int* version);
CUDA_SIM_EXPORT CUresult cuGetErrorName(CUresult error, const char** name);
CUDA_SIM_EXPORT CUresult cuGetErrorString(CUresult error, const char** text);
CUDA_SIM_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal);
CUDA_SIM_EXPORT CUresult cuDeviceGetCount(int* count);
CUDA_SIM_EXPORT CUresult cuDeviceGetName(char* name, int bytes, CUdevice device);
CUDA_SIM_EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute,
                                              CUdevice device);
CUDA_SIM_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device);
CUDA_SIM_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device);
CUDA_SIM_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device);
CUDA_SIM_EXPORT CUresult cuCtxSetCurrent(CUcontext context);
CUDA_SIM_EXPORT CUresult cuCtxGetCurrent(CUcontext* context);
CUDA_SIM_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context);
CUDA_SIM_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* context);
CUDA_SIM_EXPORT CUresult cuCtxGetDevice(CUdevice* device);
CUDA_SIM_EXPORT CUresult cuCtxSynchronize();

CUDA_SIM_EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image);
CUDA_SIM_EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image,
                                            unsigned option_count, CUjit_option* options,
                                            void** values);
CUDA_SIM_EXPORT CUresult cuModuleUnload(CUmodule module);
CUDA_SIM_EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module,
                                             const char* name);
CUDA_SIM_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule module,
                                              const char* name);
CUDA_SIM_EXPORT CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute,
                                            CUfunction function);
CUDA_SIM_EXPORT CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute,
                                            int value);
CUDA_SIM_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                     CUfunction function,
                                                                     int threads,
                                                                     size_t dynamic_bytes);
CUDA_SIM_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                        unsigned grid_z, unsigned block_x, unsigned block_y,
                                        unsigned block_z, unsigned shared_bytes, CUstream stream,
                                        void** parameters, void** extra);

CUDA_SIM_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes);
CUDA_SIM_EXPORT CUresult cuMemFree_v2(CUdeviceptr address);
CUDA_SIM_EXPORT CUresult cuMemAllocHost_v2(void** address, size_t bytes);
CUDA_SIM_EXPORT CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned flags);
CUDA_SIM_EXPORT CUresult cuMemFreeHost(void* address);
CUDA_SIM_EXPORT CUresult cuMemHostRegister_v2(void* address, size_t bytes, unsigned flags);
CUDA_SIM_EXPORT CUresult cuMemHostUnregister(void* address);
CUDA_SIM_EXPORT CUresult cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes);
CUDA_SIM_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes);
CUDA_SIM_EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes);
CUDA_SIM_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes);
CUDA_SIM_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes,
                                              CUstream stream);
CUDA_SIM_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes,
                                              CUstream stream);
CUDA_SIM_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                              CUstream stream);
CUDA_SIM_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                                         CUstream stream);
CUDA_SIM_EXPORT CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                                          CUstream stream);
CUDA_SIM_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count,
                                          CUstream stream);

CUDA_SIM_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags);
CUDA_SIM_EXPORT CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority);
CUDA_SIM_EXPORT CUresult cuStreamDestroy_v2(CUstream stream);
CUDA_SIM_EXPORT CUresult cuStreamSynchronize(CUstream stream);
CUDA_SIM_EXPORT CUresult cuStreamQuery(CUstream stream);
CUDA_SIM_EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags);
CUDA_SIM_EXPORT CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void* user_data);
CUDA_SIM_EXPORT CUresult cuEventCreate(CUevent* event, unsigned flags);
CUDA_SIM_EXPORT CUresult cuEventDestroy_v2(CUevent event);
CUDA_SIM_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream);
CUDA_SIM_EXPORT CUresult cuEventQuery(CUevent event);
CUDA_SIM_EXPORT CUresult cuEventSynchronize(CUevent event);
CUDA_SIM_EXPORT CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end);
CUDA_SIM_EXPORT CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end);

/** Findings since the last reset. Not part of CUDA. */
CUDA_SIM_EXPORT size_t cudaSimDiagnosticCount();
/** Null when there is no such finding. Valid until the next reset. */
CUDA_SIM_EXPORT const char* cudaSimDiagnosticText(size_t index);
/** Drops queued work, findings, profile and the sticky error, and reads the environment again.
 * Keeps memory. */
CUDA_SIM_EXPORT void cudaSimReset();
/** Writes the profile now. Returns 0, or 1 when the file cannot be written. */
CUDA_SIM_EXPORT int cudaSimWriteProfile();
