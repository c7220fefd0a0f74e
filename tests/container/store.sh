#!/bin/sh
# A store in a folder of the workspace, for the tests that run workflows and jobs.
set -eu
umask 077
store=build/store
show() { if [ -e "$store/$1" ]; then cat "$store/$1"; fi; }
case $TOOKEN_CI_STEP in
  check) mkdir -p "$store" ;;
  record-read) show record ;;
  record-write) cat >"$store/record" ;;
  write)
    env >"$store/told"
    cat >"$store/value"
    ;;
  read) show value ;;
esac
