#!/usr/bin/env bash
# Makes .lease/lease.tar.xz from a built checkout (`npm run build:cuda`, `npm run build:native`): all that
# first-light.sh needs and a bare x86-64 machine lacks: Node without data of languages, and the release copy of the
# kernels, so that what ships is what runs. FAMILIES packs fewer results of the virtual driver, for a rehearsal.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
LIMIT_MIB=60 # of the 64 that may travel

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "$out"/{bin,js,hashes} .lease
strip -o "$out/bin/node" "$(node -p process.execPath)"
python3 test/gpu/node_without_locales.py "$out/bin/node"
git rev-parse HEAD >"$out/commit"
strip -o "$out/bin/kernel_test" build/cuda/kernel_test
strip -o "$out/framepack.node" build/Release/framepack.node
cp build/kernels/release/framepack.fatbin "$out/"
for pair in src/cli/main.ts:cli bench/main.ts:bench test/gpu/run-suites.mjs:suites; do
  node test/gpu/bundle.mjs "${pair%%:*}" "$out/js/${pair##*:}.mjs"
done
for family in ${FAMILIES:-$(dirname kernels/*/cases.json | xargs -n 1 basename)}; do
  CUDA_SIM_CHECK=0 build/cuda/kernel_test --driver=build/cuda/libcuda_sim.so \
    --module=build/kernels/framepack.fatbin --hashes="$out/hashes/$family" "$family" >/dev/null
done
tar -C "$out" -c . | xz --x86 --lzma2=preset=9e,dict=128MiB >.lease/lease.tar.xz.part
mv .lease/lease.tar.xz.part .lease/lease.tar.xz

tree=$(git ls-files -coz --exclude-standard | xargs -0 cat | wc -c)
lease=$(stat -c %s .lease/lease.tar.xz)
printf 'tracked files %d + archive %d bytes = %d MiB\n' "$tree" "$lease" $(((tree + lease + 1048575) / 1048576))
[ $((tree + lease)) -le $((LIMIT_MIB * 1048576)) ] || {
  echo "more than $LIMIT_MIB MiB: too large to travel"
  exit 1
}
