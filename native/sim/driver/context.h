// What every entry point checks first, and the objects that handles stand for.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "driver/cuda_abi.h"
#include "driver/module_store.h"
#include "driver/streams.h"

namespace cudasim {

/** CUDA_SUCCESS when cuInit was called, this thread has a current context and no error is sticky.
 */
CUresult check_context();

/** Says on stderr why a call was refused and returns `error`. */
CUresult refuse(CUresult error, const char* function, const std::string& reason);

/** Owners of what handles point to. A handle is the object's address. */
struct HandleTable {
  std::mutex mutex;
  std::map<const void*, std::unique_ptr<LoadedModule>> modules;
  std::map<const void*, std::unique_ptr<Event>> events;

  static HandleTable& instance();
  LoadedModule* module(CUmodule handle);
  Event* event(CUevent handle);
};

}  // namespace cudasim
