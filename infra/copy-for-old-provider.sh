#!/usr/bin/env bash
# Copies this folder to <destination>, changed so that the AWS provider 5.100.0
# accepts it. That provider predates the exclusion filters of ECR's immutable
# tags (6.8.0), so the copy has plainly immutable tags. Nothing else differs,
# and each change is reported on stderr.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 <destination>" >&2
  exit 2
fi

source_folder=$(cd "$(dirname "$0")" && pwd)
destination=$1
if [ -e "$destination" ] && [ -n "$(ls -A "$destination")" ]; then
  echo "error: nothing was copied: $destination is not empty" >&2
  exit 1
fi
mkdir -p "$destination"
(cd "$source_folder" && tar -c --exclude=.terraform --exclude='.terraform.lock.hcl' --exclude='*.tfstate*' .) |
  tar -x -C "$destination"
cd "$destination"

# change <what it does> <sed program> <file>...: fails if a file stays the same,
# so that the copy cannot quietly stop being the copy described above.
change() {
  local what=$1 program=$2 file
  shift 2
  for file in "$@"; do
    cp "$file" "$file.before"
    sed -i "$program" "$file"
    if cmp -s "$file" "$file.before"; then
      echo "error: the copy is not usable: $file has nothing to change for: $what" >&2
      exit 1
    fi
    rm "$file.before"
    echo "copy: $what: $file" >&2
  done
}

change 'took out the block image_tag_mutability_exclusion_filter, with its comment' \
  '/# A tag that names a version never moves/d; /# people and moves with each publish/d; /image_tag_mutability_exclusion_filter {/,/^  }/d' \
  modules/registry/main.tf
change 'IMMUTABLE_WITH_EXCLUSION -> IMMUTABLE' \
  's/"IMMUTABLE_WITH_EXCLUSION"/"IMMUTABLE"/' \
  modules/registry/main.tf modules/registry/tests/repository.tftest.hcl
change 'provider constraint >= 6.8.0 -> >= 5.100.0' \
  's/">= 6\.8\.0, < 7\.0\.0"/">= 5.100.0, < 7.0.0"/' \
  modules/registry/versions.tf production/versions.tf
rm modules/registry/tests/exclusion.tftest.hcl
echo 'copy: took out the test of the exclusion filter: modules/registry/tests/exclusion.tftest.hcl' >&2
