{
  # The second build, for machines where cmake-js cannot run; CMakeLists.txt is the first. gyp has no flags
  # per file, so each instruction set is a static library of its own.
  "includes": ["native/sources.gypi"],
  "target_defaults": {
    "default_configuration": "Release",
    "include_dirs": ["."],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags": ["<@(common_flags)"],
    "cflags_cc": ["-std=c++20"],
  },
  "targets": [
    {
      "target_name": "framepack",
      "sources": ["<@(addon_sources)", "<@(engine_sources)"],
      "defines": ["<@(addon_defines)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "libraries": ["-ldl"],
      "ldflags": ["-Wl,-z,now"],
      "conditions": [
        ["target_arch=='x64'", {"dependencies": ["avx2", "avx512", "amx"]}],
        ["target_arch=='arm64'", {"sources": ["<@(neon_sources)"]}],
      ],
    },
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "avx2",
          "type": "static_library",
          "sources": ["<@(avx2_sources)"],
          "cflags": ["<@(avx2_flags)"],
        },
        {
          "target_name": "avx512",
          "type": "static_library",
          "sources": ["<@(avx512_sources)"],
          "cflags": ["<@(avx512_flags)"],
        },
        {
          "target_name": "amx",
          "type": "static_library",
          "sources": ["<@(amx_sources)"],
          "cflags": ["<@(amx_flags)"],
        },
      ],
    }],
  ],
}
