#!/usr/bin/env bash
# Rehearses first-light.sh on the virtual driver: in a fresh folder with the tracked files and the archive only, with a
# PATH that has no Node, and with sizes that a CPU can do. Ends with `N passed, N failed, N skipped`.
#
#   test/gpu/rehearse.sh        after `node native/bootstrap.mjs native kernels`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ ! -e build/kernels/framepack.fatbin ]; then
  echo 'skipped: the kernels are not built (npm run build:cuda, needs nvcc)'
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
fi
# Each family costs twice; all of them run on the virtual driver in the tests of the kernels.
families=(norm rope copy)
FAMILIES="${families[*]}" test/gpu/pack.sh

bare=$(mktemp -d)
trap 'rm -rf "$bare"' EXIT
mkdir -p "$bare/root/build/kernels" "$bare/bin"
git ls-files -coz --exclude-standard | tar --null -T - -c | tar -C "$bare/root" -x
cp -r .lease "$bare/root/"
# The virtual driver reads nothing compressed: this copy takes the place of the packed one.
cp build/kernels/framepack.fatbin "$bare/root/build/kernels/"
cp build/cuda/libcuda_sim.so "$bare/"
for tool in basename bash cat cp cut date dirname env grep head ls mkdir mktemp mv nproc rm sha256sum sh tail tee timeout tr xargs; do
  ln -s "$(type -P "$tool")" "$bare/bin/$tool"
done
ln -s "$(python3 -c 'import sys; print(sys.executable)')" "$bare/bin/python3"

# The tiny model for videos of 32 x 16, which the virtual driver decodes in seconds.
cp -r models/tiny-framepack "$bare/model"
python3 - "$bare/model/framepack.json" <<'EOF'
import json, sys

with open(sys.argv[1]) as file:
    info = json.load(file)
with open(sys.argv[1], "w") as file:
    json.dump({**info, "buckets": [[16, 32]]}, file)
EOF

# The stages that need no NVIDIA program, without those that only time.
stages=(doctor demo suite-device "${families[@]/#/kernels-}")
bare_run() { # stage ...
  env -i PATH="$bare/bin" HOME="$bare" OUT="$bare/out" DRIVER="$bare/libcuda_sim.so" CUDA_SIM_CHECK=0 \
    DEMO_STEPS=1 DEMO_MODEL="$bare/model" PATIENCE=10 BUDGET=600 "$bare/root/test/gpu/first-light.sh" "$@"
}
bare_run "${stages[@]}"
python3 test/gpu/check_rehearsal.py "$bare/out" "${stages[@]}"
