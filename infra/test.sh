#!/usr/bin/env bash
# Tests the Terraform of this folder: format, validation, and each module's tests.
#
# With TERRAFORM_PLUGIN_DIR (a provider mirror that holds hashicorp/aws 5.100.0)
# nothing is downloaded, and what that provider is too old for is taken out of a
# copy. Without it the folder is tested as it is, with the provider from the
# registry; on CI that is an error, so that a green run always says what ran.
set -euo pipefail

folder=$(cd "$(dirname "$0")" && pwd)
export TF_CLI_CONFIG_FILE=/dev/null TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
plugins=${TERRAFORM_PLUGIN_DIR:-}

if [ -z "$plugins" ] && [ "${CI:-}" = true ]; then
  echo 'error: nothing was tested: CI=true, and TERRAFORM_PLUGIN_DIR names no provider mirror' >&2
  exit 1
fi

terraform fmt -check -recursive -diff "$folder"
echo 'fmt: ok'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
init=(terraform init -backend=false -input=false -no-color)
if [ -n "$plugins" ]; then
  echo "testing a copy with the provider of $plugins"
  "$folder/copy-for-old-provider.sh" "$work/infra"
  init+=("-plugin-dir=$plugins")
else
  echo 'testing the folder as it is, with the provider from the registry'
  mkdir "$work/infra"
  (cd "$folder" && tar -c --exclude=.terraform .) | tar -x -C "$work/infra"
fi

for module in modules/registry modules/github-oidc production; do
  cd "$work/infra/$module"
  "${init[@]}" >"$work/init.log" || { cat "$work/init.log" >&2; exit 1; }
  terraform validate -no-color
  if [ -d tests ]; then
    terraform test -no-color
  fi
  echo "$module: ok"
done
