#!/usr/bin/env bash
# Applies the spec of a checkout, as a job of cron or of systemd: tooken-ci.sh FOLDER
#
# It says nothing while all is well, so that cron sends mail only where something is to be done. The key lies in a file
# that only the user who runs this may read: /etc/tooken-ci/key, or what TOOKEN_API_KEY_FILE names.
# Once, before: python3 -m venv /opt/tooken-ci
#               /opt/tooken-ci/bin/pip install 'tooken-ci[all] @ git+https://github.com/OWNER/tooken-ci@v0.1.0'
set -euo pipefail

cd "${1:?Name the folder of the checkout}"
export PATH=/opt/tooken-ci/bin:$PATH
export TOOKEN_API_KEY_FILE=${TOOKEN_API_KEY_FILE:-/etc/tooken-ci/key}

exec 9>.git/tooken-ci.lock
flock --nonblock 9 || exit 0 # the run before is still at work

log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
{ git pull --quiet --ff-only && tooken-ci apply; } >"$log" 2>&1 || code=$?
case $code in
  0) exit 0 ;;
  2) echo "Not applied: the spec, or an option, is wrong." ;;
  3) echo "Partly applied: the next run goes on from here, unless somebody has to help." ;;
  5) echo "Applied only as far as the policy and the safety bounds permit." ;;
  *) echo "Not applied." ;;
esac
cat "$log"
exit "$code"
