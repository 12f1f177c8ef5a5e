// Modules, functions and launches.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "driver/context.h"
#include "exec/launch.h"
#include "ptx/module.h"
#include "settings.h"

using namespace cudasim;

namespace {

constexpr CUjit_option kErrorLogBuffer = 5, kErrorLogBytes = 6;

// CUfunction_attribute
constexpr int kMaxThreadsPerBlock = 0, kSharedBytes = 1, kConstBytes = 2, kLocalBytes = 3,
              kRegisters = 4, kPtxVersion = 5, kBinaryVersion = 6, kMaxDynamicShared = 8,
              kSharedCarveout = 9;

constexpr uint64_t kMaxThreads = 1024;
constexpr int kMaxBlocksPerMultiprocessor = 16, kThreadsPerMultiprocessor = 1536,
              kReservedShared = 1024;

LoadedFunction* function_of(CUfunction handle) { return reinterpret_cast<LoadedFunction*>(handle); }

void write_jit_log(unsigned count, const CUjit_option* options, void** values,
                   const std::string& text) {
  char* buffer = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == kErrorLogBuffer) buffer = static_cast<char*>(values[i]);
    if (options[i] == kErrorLogBytes) bytes = reinterpret_cast<uintptr_t>(values[i]);
  }
  if (buffer && bytes) std::snprintf(buffer, bytes, "%s", text.c_str());
}

// The launch's arguments in the layout of the kernel's parameter block; empty when `extra` is
// malformed.
bool pack_parameters(const Program& program, void** parameters, void** extra,
                     std::vector<uint8_t>& out) {
  out.assign(program.parameter_bytes, 0);
  if (program.parameters.empty()) return true;
  if (parameters) {
    for (size_t i = 0; i < program.parameters.size(); ++i) {
      std::memcpy(out.data() + program.parameters[i].offset, parameters[i],
                  program.parameters[i].bytes);
    }
    return true;
  }
  // CU_LAUNCH_PARAM_BUFFER_POINTER (1), CU_LAUNCH_PARAM_BUFFER_SIZE (2), CU_LAUNCH_PARAM_END (0)
  const void* buffer = nullptr;
  size_t bytes = 0;
  for (; extra && extra[0]; extra += 2) {
    if (extra[0] == reinterpret_cast<void*>(1)) buffer = extra[1];
    if (extra[0] == reinterpret_cast<void*>(2)) bytes = *static_cast<size_t*>(extra[1]);
  }
  if (!buffer || bytes < out.size()) return false;
  std::memcpy(out.data(), buffer, out.size());
  return true;
}

std::string launch_problem(const LoadedFunction& function, const Launch& launch) {
  const Program& program = *launch.program;
  const Dim3 grid = launch.grid, block = launch.block;
  if (block.count() == 0 || block.count() > kMaxThreads || block.z > 64)
    return "invalid block size";
  if (grid.count() == 0 || grid.count() > 0x7fffffff || grid.y > 65535 || grid.z > 65535) {
    return "invalid grid size";
  }
  if (block.count() > program.max_threads) {
    return std::to_string(block.count()) + " threads, but __launch_bounds__ allows " +
           std::to_string(program.max_threads);
  }
  if (launch.dynamic_shared_bytes > static_cast<uint32_t>(function.max_dynamic_shared)) {
    return std::to_string(launch.dynamic_shared_bytes) +
           " bytes of dynamic shared memory; cuFuncSetAttribute(MAX_DYNAMIC_SHARED_SIZE_BYTES) "
           "allows " +
           std::to_string(function.max_dynamic_shared);
  }
  if (launch.shared_bytes() > settings().shared_limit) {
    return std::to_string(launch.shared_bytes()) + " bytes of shared memory, the device has " +
           std::to_string(settings().shared_limit);
  }
  return {};
}

}  // namespace

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned option_count,
                            CUjit_option* options, void** values) {
  if (const CUresult error = check_context()) return error;
  if (!module || !image) return CUDA_ERROR_INVALID_VALUE;
  try {
    auto loaded = std::make_unique<LoadedModule>(image);
    HandleTable& table = HandleTable::instance();
    std::lock_guard lock(table.mutex);
    const void* key = loaded.get();
    *module = reinterpret_cast<CUmodule>(loaded.get());
    table.modules[key] = std::move(loaded);
    return CUDA_SUCCESS;
  } catch (const ptx::LoadError& error) {
    write_jit_log(option_count, options, values, error.what());
    return refuse(CUDA_ERROR_INVALID_PTX, "cuModuleLoadData", error.what());
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
}

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

CUresult cuModuleUnload(CUmodule module) {
  StreamEngine::instance().synchronise_all();
  HandleTable& table = HandleTable::instance();
  std::lock_guard lock(table.mutex);
  return table.modules.erase(module) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  if (const CUresult error = check_context()) return error;
  LoadedModule* loaded = HandleTable::instance().module(module);
  if (!loaded) return CUDA_ERROR_INVALID_HANDLE;
  *function = reinterpret_cast<CUfunction>(loaded->function(name));
  return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule module,
                              const char* name) {
  if (const CUresult error = check_context()) return error;
  LoadedModule* loaded = HandleTable::instance().module(module);
  if (!loaded) return CUDA_ERROR_INVALID_HANDLE;
  const Allocation* variable = loaded->variable(name);
  if (!variable) return CUDA_ERROR_NOT_FOUND;
  if (address) *address = variable->address;
  if (bytes) *bytes = variable->bytes;
  return CUDA_SUCCESS;
}

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction handle) {
  if (!handle) return CUDA_ERROR_INVALID_HANDLE;
  const LoadedFunction& function = *function_of(handle);
  switch (attribute) {
    case kMaxThreadsPerBlock: *value = static_cast<int>(function.program->max_threads); break;
    case kSharedBytes: *value = static_cast<int>(function.program->static_shared_bytes); break;
    case kLocalBytes: *value = static_cast<int>(function.program->local_bytes); break;
    case kMaxDynamicShared: *value = function.max_dynamic_shared; break;
    case kPtxVersion: *value = 80; break;
    case kBinaryVersion:
      *value = settings().capability_major * 10 + settings().capability_minor;
      break;
    case kConstBytes:
    case kRegisters:  // only ptxas knows
    case kSharedCarveout: *value = 0; break;
    default: return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
  if (const CUresult error = check_context()) return error;
  if (!handle) return CUDA_ERROR_INVALID_HANDLE;
  if (attribute == kSharedCarveout) return CUDA_SUCCESS;
  if (attribute != kMaxDynamicShared) return CUDA_ERROR_INVALID_VALUE;
  LoadedFunction& function = *function_of(handle);
  const int64_t limit = int64_t{settings().shared_limit} - function.program->static_shared_bytes;
  if (value < 0 || value > limit) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuFuncSetAttribute",
                  function.program->name + ": " + std::to_string(value) +
                      " bytes of dynamic shared memory, the device has " + std::to_string(limit));
  }
  function.max_dynamic_shared = value;
  return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction handle, int threads,
                                                     size_t dynamic_bytes) {
  if (!handle) return CUDA_ERROR_INVALID_HANDLE;
  if (threads <= 0) return CUDA_ERROR_INVALID_VALUE;
  const int rounded = (threads + 31) / 32 * 32;
  const size_t per_block =
      function_of(handle)->program->static_shared_bytes + dynamic_bytes + kReservedShared;
  const size_t available = size_t{settings().shared_limit} + kReservedShared;
  *blocks = std::min({kMaxBlocksPerMultiprocessor, kThreadsPerMultiprocessor / rounded,
                      static_cast<int>(available / per_block)});
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                        unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                        CUstream stream_handle, void** parameters, void** extra) {
  if (const CUresult error = check_context()) return error;
  const auto stream = StreamEngine::instance().stream(stream_handle);
  if (!handle || !stream) return CUDA_ERROR_INVALID_HANDLE;
  const LoadedFunction& function = *function_of(handle);
  Launch launch;
  launch.program = function.program;
  launch.grid = {grid_x, grid_y, grid_z};
  launch.block = {block_x, block_y, block_z};
  launch.dynamic_shared_bytes = shared_bytes;
  if (const std::string problem = launch_problem(function, launch); !problem.empty()) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel",
                  function.program->name + ": " + problem);
  }
  if (!pack_parameters(*launch.program, parameters, extra, launch.parameters))
    return CUDA_ERROR_INVALID_VALUE;
  Operation operation;
  operation.run = [launch = std::move(launch)] {
    return static_cast<CUresult>(run_launch(launch));
  };
  return StreamEngine::instance().enqueue(stream, std::move(operation));
}
