#!/bin/bash
set -e
# Echoes.
nvm_echo() {
  command printf '%s' "$1"
}
function bats::run { :; }
readonly LIMIT=3
X=1
export Y=2
if [ -z "$x" ]; then
  foo() { :; }
fi
{
nvm_x() { :; }
}
@test "works fine" {
  run x
}
