{
  "variables": {
    "addon_sources": [
      "native/addon/arguments.cc",
      "native/addon/bind/attention.cc",
      "native/addon/bind/conv3d.cc",
      "native/addon/bind/copy.cc",
      "native/addon/bind/device.cc",
      "native/addon/bind/elementwise.cc",
      "native/addon/bind/gather.cc",
      "native/addon/bind/matmul.cc",
      "native/addon/bind/memory.cc",
      "native/addon/bind/norm.cc",
      "native/addon/bind/patchify.cc",
      "native/addon/bind/reduce.cc",
      "native/addon/bind/rope.cc",
      "native/addon/completions.cc",
      "native/addon/environment.cc",
      "native/addon/errors.cc",
      "native/addon/handles.cc",
      "native/addon/module.cc",
      "native/addon/open_device.cc"
    ],
    "engine_sources": [
      "kernels/attention/attention_ref.cc",
      "kernels/conv3d/conv3d_ref.cc",
      "kernels/copy/copy_ref.cc",
      "kernels/elementwise/elementwise_ref.cc",
      "kernels/gather/gather_ref.cc",
      "kernels/matmul/matmul_ref.cc",
      "kernels/norm/norm_ref.cc",
      "kernels/patchify/patchify_ref.cc",
      "kernels/reduce/reduce_ref.cc",
      "kernels/rope/rope_ref.cc",
      "native/core/allocator.cc",
      "native/core/buffer.cc",
      "native/core/device.cc",
      "native/core/meta_device.cc",
      "native/core/stream.cc",
      "native/core/thread_pool.cc",
      "native/core/transfer.cc",
      "native/cpu/attention.cc",
      "native/cpu/conv3d.cc",
      "native/cpu/copy.cc",
      "native/cpu/cpu_device.cc",
      "native/cpu/dispatch.cc",
      "native/cpu/elementwise.cc",
      "native/cpu/gather.cc",
      "native/cpu/gemm.cc",
      "native/cpu/matmul.cc",
      "native/cpu/norm.cc",
      "native/cpu/patchify.cc",
      "native/cpu/reduce.cc",
      "native/cpu/rope.cc"
    ],
    "avx2_sources": [
      "native/cpu/isa/contraction_avx2.cc",
      "native/cpu/isa/vector_avx2.cc"
    ],
    "avx512_sources": [
      "native/cpu/isa/contraction_avx512.cc",
      "native/cpu/isa/vector_avx512.cc"
    ],
    "amx_sources": [
      "native/cpu/isa/contraction_amx.cc"
    ],
    "test_sources": [
      "native/cpu/test/attention_test.cc",
      "native/cpu/test/conv3d_test.cc",
      "native/cpu/test/matmul_test.cc",
      "native/cpu/test/patchify_test.cc",
      "native/cpu/test/row_operations_test.cc",
      "native/cpu/test/strided_operations_test.cc",
      "native/cpu/test/vector_convert_test.cc"
    ],
    "kernel_test_sources": [
      "kernels/test/attention_test.cc",
      "kernels/test/case_file.cc",
      "kernels/test/conv3d_test.cc",
      "kernels/test/driver.cc",
      "kernels/test/kernel_test.cc",
      "kernels/test/matmul_test.cc",
      "kernels/test/patchify_test.cc",
      "kernels/test/session.cc"
    ],
    "avx2_flags": ["-mavx2", "-mfma", "-mf16c"],
    "avx512_flags": [
      "-mavx2",
      "-mfma",
      "-mf16c",
      "-mavx512f",
      "-mavx512bw",
      "-mavx512vl",
      "-mavx512dq",
      "-mavx512bf16"
    ],
    "amx_flags": [
      "-mavx2",
      "-mfma",
      "-mf16c",
      "-mavx512f",
      "-mavx512bw",
      "-mavx512vl",
      "-mavx512dq",
      "-mavx512bf16",
      "-mavx512vbmi",
      "-mamx-tile",
      "-mamx-bf16"
    ],
    "addon_defines": ["NAPI_VERSION=8"],
    "common_flags": ["-O3", "-Wall", "-Wextra", "-fvisibility=hidden", "-ffp-contract=off"]
  }
}
