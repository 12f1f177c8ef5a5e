#!/usr/bin/env bash
# The first minutes on an NVIDIA GPU, staged; see README.md beside it.
#
#   test/gpu/first-light.sh [stage ...]
#
# Needs bash, coreutils, python3 and .lease/lease.tar.xz (pack.sh). No failure stops it, no stage outlives its limit, and
# the whole ends within BUDGET seconds. Files under $OUT are valid at any moment, so that it may be killed at any.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

DRIVER=${DRIVER:-libcuda.so.1}
BUDGET=${BUDGET:-480}
PATIENCE=${PATIENCE:-1} # factor of every limit
export OUT=${OUT:-out/gpu}
FATBIN=build/kernels/framepack.fatbin
FAMILIES=($(dirname kernels/*/cases.json | xargs -n 1 basename))
SANITIZED=(attention conv3d norm)
BENCH=(--device cuda --samples "${SAMPLES:-10}" --seconds "${BENCH_SECONDS:-2}" --json)
COMPARE=(--compare torch --python python3)
KEEP_S=2 # what a stage is given to die

mkdir -p "$OUT" || exit 3
PACKED=build/lease-$(sha256sum .lease/lease.tar.xz | cut -c 1-12)
if [ ! -e "$PACKED" ]; then
  rm -rf "$PACKED.part"
  mkdir -p "$PACKED.part" build/Release build/kernels || exit 3
  python3 -m tarfile -e .lease/lease.tar.xz "$PACKED.part" || exit 3
  cp "$PACKED.part/framepack.node" build/Release/ || exit 3
  # Kernels that were built here stay, those of an earlier archive do not.
  if [ ! -e "$FATBIN" ] || sha256sum --check --status "$FATBIN.packed" 2>/dev/null; then
    cp "$PACKED.part/framepack.fatbin" "$FATBIN" && sha256sum "$FATBIN" >"$FATBIN.packed" || exit 3
  fi
  mv "$PACKED.part" "$PACKED"
fi
NODE=$PACKED/bin/node
KERNEL_TEST=("$PACKED/bin/kernel_test" "--driver=$DRIVER" "--module=$FATBIN")
[ "$DRIVER" = libcuda.so.1 ] || export FRAMEPACK_CUDA_DRIVER=$DRIVER
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
wanted=" $* "

# Runs one command under a limit; its output becomes a part of all.log, its end a line of summary.jsonl.
stage() { # name, seconds, command ...
  local name=$1 limit=$(($2 * PATIENCE)) start=$SECONDS status log=$scratch/log
  shift 2
  [[ $wanted == "  " || $wanted == *" $name "* ]] || return 0
  local left=$((BUDGET - SECONDS - KEEP_S))
  if [ "$left" -le 0 ]; then
    printf '{"stage":"%s","status":null,"seconds":0,"last":"no time left"}\n' "$name" | tee -a "$OUT/summary.jsonl"
    return 0
  fi
  timeout -k "$KEEP_S" $((limit < left ? limit : left)) "$@" >"$log" 2>&1 </dev/null
  status=$?
  local seconds=$((SECONDS - start)) failures last
  failures=$(grep -c '^FAIL' "$log")
  last=$(tail -n 1 "$log" | tr -cd 'a-zA-Z0-9 .,:;()/_%+=-' | cut -c 1-160)
  { printf '=== %s: status %d, %d s\n' "$name" "$status" "$seconds"; cat "$log"; } >>"$OUT/all.log"
  printf '{"stage":"%s","status":%d,"seconds":%d,"failures":%d,"last":"%s"}\n' \
    "$name" "$status" "$seconds" "$failures" "$last" | tee -a "$OUT/summary.jsonl"
  grep -m 5 '^FAIL\|^========= \(Invalid\|Error\|Race\)' "$log" | cut -c 1-200
}

# Results of a family and how many of their bits are those of the virtual driver.
kernels() { # family
  local hashes=$scratch/hashes-$1 status
  "${KERNEL_TEST[@]}" --hashes="$hashes" "$1"
  status=$?
  python3 test/gpu/compare_hashes.py "$1" "$PACKED/hashes/$1" "$hashes" | tee -a "$OUT/hashes.jsonl"
  return "$status"
}

# Rows of a suite, each a line, as soon as the suite has ended.
bench() { # suite, options ...
  "$NODE" "$PACKED/js/bench.mjs" "$@" >"$scratch/rows"
  local status=$?
  python3 test/gpu/bench_lines.py "$scratch/rows" >>"$OUT/timings.jsonl"
  return "$status"
}

demo() {
  "$NODE" "$PACKED/js/cli.mjs" generate --device cuda --model "${DEMO_MODEL:-models/tiny-framepack}" --image assets/picture-1.png \
    --prompt 'A yellow ring grows and shrinks over a snowy field.' --seconds 1.2 --steps "${DEMO_STEPS:-8}" \
    --out "$scratch/frames/" || return
  # The last picture is the one that every step and both decoders have made.
  cp "$(ls "$scratch/frames"/*.png | tail -n 1)" "$scratch/frame.png" && mv "$scratch/frame.png" "$OUT/frame.png"
}

sass() {
  for machine in sm_89 sm_90; do
    for kernel in attention_bf16_w128_m128 attention_bf16_w128_m64 conv3d_bf16_128x128 \
      matmul_bf16_128x128 matmul_bf16_f8_128x128; do
      cuobjdump -sass -arch "$machine" -fun "$kernel" "$FATBIN" || return
    done
  done | xz -9 >"$scratch/sass" && mv "$scratch/sass" "$OUT/sass.txt.xz"
}

facts() {
  echo "commit $(cat "$PACKED/commit")"
  nvidia-smi
  nvidia-smi -q -d CLOCK,POWER | head -n 40
  head -n 1 /proc/driver/nvidia/version /proc/version
  python3 -c 'import torch; print("torch", torch.__version__, torch.cuda.is_available())'
  "$NODE" --version
  nproc
}

export -f kernels bench demo sass facts
export scratch PACKED FATBIN NODE DRIVER
# Functions run in a shell of their own, which timeout can end; arrays do not travel through the environment.
within() { printf '%s\n' "$(declare -p KERNEL_TEST BENCH COMPARE); $*"; }
run() { stage "$1" "$2" bash -c "$(within "$3")"; }

run facts 20 facts
stage doctor 20 "$NODE" "$PACKED/js/cli.mjs" doctor
for family in "${FAMILIES[@]}"; do run "kernels-$family" 40 "kernels $family"; done
for suite in device conformance generate; do stage "suite-$suite" 60 "$NODE" "$PACKED/js/suites.mjs" "$suite"; done
run demo 40 demo
run bench-ops 90 "bench ops \"\${BENCH[@]}\" \"\${COMPARE[@]}\""
run bench-block 60 "bench block \"\${BENCH[@]}\" \"\${COMPARE[@]}\" --tokens ${TOKENS:-9216} --width ${WIDTH:-3072}"
run bench-vae 60 "bench vae \"\${BENCH[@]}\""
for family in "${SANITIZED[@]}"; do
  stage "memcheck-$family" 45 compute-sanitizer --tool memcheck "${KERNEL_TEST[@]}" "$family"
done
stage racecheck-attention 45 compute-sanitizer --tool racecheck "${KERNEL_TEST[@]}" attention
stage jit 60 env CUDA_FORCE_PTX_JIT=1 CUDA_CACHE_DISABLE=1 "${KERNEL_TEST[@]}" "${SANITIZED[@]}"
for family in attention matmul; do
  stage "ncu-$family" 45 ncu --clock-control none --set basic --launch-count 12 "${KERNEL_TEST[@]}" "$family"
done
run sass 40 sass
