#!/usr/bin/env bash
# The whole job against a sandbox on this machine: `make demo` runs it with tooken-ci on the PATH.
# It works in a folder of its own and leaves nothing behind, neither files nor a process.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
sandbox=

clean_up() {
  if [[ -n $sandbox ]]; then
    kill "$sandbox" 2>/dev/null || true
    wait "$sandbox" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bold='' plain=''
if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() {
  printf '\n$ %s\n' "$*"
  "$@"
}
# The sandbox says in one line of JSON where it listens and which key it takes.
started() { python3 -c 'import json, sys; print(json.load(open("sandbox.json"))[sys.argv[1]])' "$1"; }
# Show what the team changes in its spec.
edit() {
  cp tooken.yml before.yml
  sed -i "$1" tooken.yml
  printf '\n'
  diff --unified=1 --label tooken.yml --label tooken.yml before.yml tooken.yml || true
}

cp "$here/tooken.yml" "$here/consumer.py" "$work"
cd "$work"
unset TOOKEN_SPEC TOOKEN_FORMAT

say "A workspace to try it on: the sandbox, with 30 tokens that nobody manages"
printf '\n$ tooken-ci sandbox --seed 30 &\n'
tooken-ci sandbox --seed 30 >sandbox.json 2>sandbox.log &
sandbox=$!
for _ in {1..150}; do
  if [[ -s sandbox.json ]]; then break; fi
  kill -0 "$sandbox" 2>/dev/null || { cat sandbox.log >&2; exit 1; }
  sleep 0.1
done
TOOKEN_API_URL=$(started url)
TOOKEN_API_KEY=$(started api_key)
export TOOKEN_API_URL TOOKEN_API_KEY
echo "It listens on $TOOKEN_API_URL"

say "1. The team writes down the tokens it wants: tooken.yml"
run cat tooken.yml
run tooken-ci validate

say "2. On a pull request: what would change?"
run tooken-ci plan

say "3. On merge: change it"
run tooken-ci apply --yes
run ls -l secrets
run ./consumer.py secrets/ci-deploy

say "4. A second plan: nothing to do"
run tooken-ci plan

say "5. ci-deploy needs one more scope: a new generation replaces it, and is in place before the old one goes"
edit '/description: Deploys/,/deliver:/ s/scopes: .*/scopes: [tokens:read, tokens:rotate]/'
run tooken-ci plan
run tooken-ci apply --yes
run ./consumer.py secrets/ci-deploy

say "6. old-bot is not needed any more: its entry goes, its name is listed as absent"
edit '/^  old-bot:/,$ c absent: [old-bot]'
run tooken-ci apply --yes
run tooken-ci plan

say "Done. The 30 tokens that nobody manages were never touched; the sandbox and its folder are gone now."
