#!/bin/sh
# Fails when an object of native/cpu/isa exports anything but its table. A weak symbol there is an
# inline function compiled for one instruction set; the linker may keep that copy for everybody, and
# processors without the instructions then stop with SIGILL.
#
#   isa_symbols.sh OBJECT...    objects of other folders are ignored
status=0
checked=0
for object in "$@"; do
  case "$object" in */native/cpu/isa/*) ;; *) continue ;; esac
  checked=$((checked + 1))
  exported=$(nm -C --defined-only --extern-only "$object" | grep -v ' T framepack::cpu::isa::[a-z0-9_]*table[a-z0-9_]*()$')
  if [ -n "$exported" ]; then
    echo "$object exports more than its table:"
    echo "$exported"
    status=1
  fi
done
if [ "$checked" -eq 0 ]; then
  echo "no object of native/cpu/isa was given"
  exit 1
fi
[ "$status" -eq 0 ] && echo "$checked objects export nothing but their tables"
exit "$status"
