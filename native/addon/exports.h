// Every function of the addon, one row each: name in JavaScript, function in C++. The TypeScript
// side is the type NativeModule in src/tensor/native-types.ts.
#pragma once
#include <napi.h>

#define FRAMEPACK_EXPORTS(EXPORT)   \
  EXPORT(initialize, initialize)    \
  EXPORT(openDevice, open_device)   \
  EXPORT(closeDevice, close_device) \
  EXPORT(describe, describe)        \
  EXPORT(memory, memory)            \
  EXPORT(resetPeak, reset_peak)     \
  EXPORT(fence, fence)              \
  EXPORT(allocate, allocate)        \
  EXPORT(release, release)          \
  EXPORT(mapFile, map_file)         \
  EXPORT(upload, upload)            \
  EXPORT(download, download)        \
  EXPORT(peek, peek)                \
  EXPORT(copyAcross, copy_across)   \
  EXPORT(matmul, matmul)            \
  EXPORT(attention, attention)      \
  EXPORT(layerNorm, layer_norm)     \
  EXPORT(rmsNorm, rms_norm)         \
  EXPORT(groupNorm, group_norm)     \
  EXPORT(ropeTable, rope_table)     \
  EXPORT(ropePool, rope_pool)       \
  EXPORT(rope, rope)                \
  EXPORT(conv3d, conv3d)            \
  EXPORT(patchify, patchify)        \
  EXPORT(unpatchify, unpatchify)    \
  EXPORT(elementwise, elementwise)  \
  EXPORT(reduce, reduce)            \
  EXPORT(copy, copy)                \
  EXPORT(fill, fill)                \
  EXPORT(quantize, quantize)        \
  EXPORT(dequantize, dequantize)    \
  EXPORT(embedding, embedding)      \
  EXPORT(upsample, upsample)        \
  EXPORT(indexed, indexed)          \
  EXPORT(cumsum, cumsum)            \
  EXPORT(topK, top_k)               \
  EXPORT(dequantizeGgml, dequantize_ggml)

namespace framepack::addon {

#define FRAMEPACK_DECLARE(name, function) Napi::Value function(const Napi::CallbackInfo& info);
FRAMEPACK_EXPORTS(FRAMEPACK_DECLARE)
#undef FRAMEPACK_DECLARE

}  // namespace framepack::addon
