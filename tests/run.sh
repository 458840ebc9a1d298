#!/usr/bin/env bash
# Builds the solution once and runs every test. Ends with one line, "N passed, N failed"; exits 0 only when nothing failed.
# A suite that crashes, or runs no test, counts as a failure. Usage: tests/run.sh [PROJECT-NAME-PART...]
set -euo pipefail
cd "$(dirname "$0")/.."

configuration=${CONFIGURATION:-Release}
results=$PWD/tests/TestResults
suite_limit=1320 # seconds

# Tests make hundreds of small databases, and each commit waits for the disk: in memory, where there is enough, they take half the time.
if [ -w /dev/shm ] && [ "$(df --output=avail -k /dev/shm | tail -n 1)" -gt 6000000 ]; then
  TMPDIR=$(mktemp -d /dev/shm/identityserver-tests.XXXXXX)
  chmod 755 "$TMPDIR" # PostgreSQL runs as somebody else
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DEBIAN_FRONTEND=noninteractive configuration results suite_limit

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }

# --- what the tests need ---------------------------------------------------------------------------------------------

install_missing_packages() {
  local missing=() package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  if [ ${#missing[@]} -eq 0 ]; then
    return
  fi
  say "installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "These packages are missing and need root to install: ${missing[*]}" >&2
      exit 2
    fi
    as_root=(sudo --non-interactive --preserve-env=DEBIAN_FRONTEND)
  fi
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}

install_oracles() {
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  if [ "$major" -lt 20 ]; then
    echo "The independent clients need Node 20 or later; this is $(node --version)." >&2
    exit 2
  fi
  if [ ! tests/oracles/node_modules/.package-lock.json -nt tests/oracles/package-lock.json ]; then
    say "installing the independent clients"
    npm ci --prefix tests/oracles --no-audit --no-fund --loglevel=error </dev/null
  fi
}

# --- one suite -------------------------------------------------------------------------------------------------------

# Runs one test project; leaves NAME.log and NAME.counts ("passed failed") in the results folder.
run_suite() {
  local name=$1 started=$SECONDS status=0 counts passed failed
  local program=tests/$name/bin/$configuration/net10.0/$name.dll
  local report=$results/$name.json
  timeout --kill-after=30 "$suite_limit" dotnet "$program" -noLogo -noColor -ctrf "$report" \
    >"$results/$name.log" 2>&1 </dev/null || status=$?
  counts=$(node -e '
    const { summary } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).results;
    console.log(summary.passed, summary.failed + (summary.other ?? 0), summary.pending + summary.skipped);
  ' "$report" 2>/dev/null) || counts="0 0 0"
  read -r passed failed skipped <<<"$counts"
  if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
    echo "$name ran no test (exit status $status)." >>"$results/$name.log"
  elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
    echo "$name ended with exit status $status though no test failed." >>"$results/$name.log"
  fi
  echo "$passed $failed" >"$results/$name.counts"
  say "$name: $passed passed, $failed failed, $skipped skipped ($((SECONDS - started)) s)"
  if [ "$failed" -ne 0 ]; then
    sed 's/^/    /' "$results/$name.log"
  fi
}
export -f run_suite say

# --- all of it -------------------------------------------------------------------------------------------------------

install_missing_packages postgresql chromium fonts-noto-cjk python3-aiosmtpd python3-authlib python3-requests jq
install_oracles

# Where the programs under test find the runtime: asked of the SDK, for the dotnet on PATH may be a link or a script.
DOTNET_ROOT=${DOTNET_ROOT:-$(dotnet --list-sdks | sed -n '$s/.*\[\(.*\)\/sdk\]$/\1/p')}
export DOTNET_ROOT

rm -rf "$results"
mkdir -p "$results"

say "building ($configuration)"
# Into a file, not a pipe: build servers that stay behind must not hold our output open.
if ! dotnet build IdentityServer.sln -c "$configuration" -v quiet -nodeReuse:false >"$results/build.log" 2>&1 </dev/null; then
  grep -E 'error|warning' "$results/build.log" | sort -u | head -n 40
  tail -n 5 "$results/build.log"
  echo "0 passed, 1 failed"
  exit 1
fi

suites=()
for project in $(grep -lF '<IsTestProject>true' tests/*/*.csproj); do
  suite=$(basename "$project" .csproj)
  if [ $# -eq 0 ]; then
    suites+=("$suite")
    continue
  fi
  for part in "$@"; do
    if [[ $suite == *"$part"* ]]; then
      suites+=("$suite")
    fi
  done
done

say "running ${suites[*]}"
printf '%s\n' "${suites[@]}" | xargs -P 2 -I{} bash -c 'set -euo pipefail; run_suite "$1"' suite {}

passed=0 failed=0
for suite in "${suites[@]}"; do
  read -r suite_passed suite_failed <"$results/$suite.counts"
  passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
