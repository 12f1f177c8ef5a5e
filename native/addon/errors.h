// From C++ exceptions to the FramePackError class of JavaScript.
#pragma once
#include <napi.h>

#include <exception>
#include <new>

#include "../core/error.h"

namespace framepack::addon {

// An instance of the class given to initialize(), or a plain Error before that call.
Napi::Value to_javascript(Napi::Env env, const Error& error);

// Makes the exception being handled the pending exception of JavaScript.
void throw_current(Napi::Env env);

// The form in which every function is exported: no C++ exception leaves it.
template <Napi::Value (*Function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return Function(info);
  } catch (...) {
    throw_current(info.Env());
    return {};
  }
}

}  // namespace framepack::addon
