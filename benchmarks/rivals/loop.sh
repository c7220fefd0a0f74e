#!/usr/bin/env bash
# Makes the tokens that names.txt lists and that are missing, with curl and jq, one request after the other.
set -euo pipefail
umask 077

api() { curl --silent --show-error --fail -H "Authorization: Bearer $TOOKEN_API_KEY" "$@"; }

expires_at=$(date -u -d '+90 days' +%Y-%m-%dT%H:%M:%SZ)
mkdir -p secrets

page=1
while :; do
  reply=$(api "$TOOKEN_API_URL/tokens?status=active&per_page=100&page=$page")
  jq -r '.data[].name' <<<"$reply"
  [ "$(jq '.meta.page * .meta.per_page >= .meta.total' <<<"$reply")" = true ] && break
  page=$((page + 1))
done | sort >active.txt

sort names.txt | comm -23 - active.txt | while read -r name; do
  jq -n --arg name "$name" --arg expires_at "$expires_at" '{$name, scopes: ["tokens:read"], $expires_at}' |
    api -H 'Content-Type: application/json' --data @- "$TOOKEN_API_URL/tokens" | jq -r .token >"secrets/$name"
done
