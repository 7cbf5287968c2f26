# Shared by the commands in bin/. Sourced, not run: expects `set -euo pipefail` in the caller.
# All of its chatter goes to stderr, so that stdout stays the command's own.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD="$ROOT/.build"

if [ -t 1 ] && [ -t 2 ]; then
  BOLD=$'\033[1m' DIM=$'\033[2m' RED=$'\033[31m' GREEN=$'\033[32m' PLAIN=$'\033[0m'
else
  BOLD='' DIM='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf '%sfairlead:%s %s\n' "$RED" "$PLAIN" "$*" >&2
  exit 1
}

# elapsed SECONDS -> "1m05s"
elapsed() {
  if [ "$1" -lt 60 ]; then printf '%ds' "$1"; else printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); fi
}

# --- what the machine must have -------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND…: as root or through a sudo that asks nothing; 1 where neither is possible.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo && sudo -n true 2>/dev/null; then
    sudo -n --preserve-env=DEBIAN_FRONTEND "$@"
  else
    return 1
  fi
}

may_install() { have apt-get && as_root true; }

APT_UPDATED=''

# apt_install PACKAGE…: installs, or stops and says which command would.
apt_install() {
  local log="$BUILD/logs/apt.log"
  if ! may_install; then
    if have apt-get; then
      fail "needs $*. Install it with: sudo apt-get install $*"
    fi
    fail "needs what Debian calls $*. Install it with your system's package manager."
  fi
  mkdir -p "$BUILD/logs"
  export DEBIAN_FRONTEND=noninteractive
  if [ -z "$APT_UPDATED" ]; then
    run_alive 'Reading the package lists' "$log" as_root apt-get update \
      || say "${DIM}apt-get update failed; trying with the lists that are here${PLAIN}"
    APT_UPDATED=yes
  fi
  run_alive "Installing $*" "$log" as_root apt-get install -y --no-install-recommends "$@" \
    || fail "could not install $*; the log is $log. Install it by hand and run this again."
}

# header_found NAME.h: does the C preprocessor see it?
header_found() {
  local compiler
  for compiler in "${CC:-cc}" clang gcc; do
    have "$compiler" || continue
    printf '#include <%s>\n' "$1" | "$compiler" -E - >/dev/null 2>&1 && return 0
  done
  return 1
}

need_swift() {
  have swift || fail 'needs Swift 6.2 or newer, and there is no swift here. Install it from https://www.swift.org/install and run this again.'
  local version
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -1)
  case "$version" in
    '') fail 'could not read the version of swift; "swift --version" should print it. Fairlead needs 6.2 or newer.' ;;
    [0-5].* | 6.0 | 6.1)
      fail "needs Swift 6.2 or newer, and this is $version. Install a newer one from https://www.swift.org/install." ;;
  esac
}

need_libraries() {
  [ "$(uname -s)" = Darwin ] && return 0
  local missing=()
  header_found sqlite3.h || missing+=(libsqlite3-dev)
  header_found zlib.h || missing+=(zlib1g-dev)
  header_found libpq-fe.h || header_found postgresql/libpq-fe.h || missing+=(libpq-dev)
  have pkg-config || missing+=(pkg-config)
  have git || missing+=(git)
  [ "${#missing[@]}" = 0 ] || apt_install "${missing[@]}"
}

# --- long commands --------------------------------------------------------------------------------

# run_alive LABEL LOG COMMAND…: runs it with its output in LOG and shows that it is alive: on a
# terminal one line that is rewritten, elsewhere a line every 30 seconds. Returns its exit code.
run_alive() {
  local label=$1 log=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  : >"$log"
  "$@" >"$log" 2>&1 </dev/null &
  local child=$! started=$SECONDS shown=-1 code=0
  trap 'kill "$child" 2>/dev/null; wait "$child" 2>/dev/null; [ -t 2 ] && printf "\n" >&2; exit 130' INT TERM
  [ -t 2 ] || say "$label …"
  while kill -0 "$child" 2>/dev/null; do
    local now=$((SECONDS - started))
    if [ "$now" != "$shown" ]; then
      shown=$now
      if [ -t 2 ]; then
        local line
        line="$label  $(elapsed "$now")  $(last_line "$log")"
        printf '\r\033[K%s' "${line:0:$(($(tput cols 2>/dev/null || echo 80) - 1))}" >&2
      elif [ "$now" -gt 0 ] && [ $((now % 30)) = 0 ]; then
        say "  $(elapsed "$now")  $(last_line "$log")"
      fi
    fi
    sleep 0.2
  done
  wait "$child" || code=$?
  trap - INT TERM
  local took
  took=$(elapsed $((SECONDS - started)))
  [ -t 2 ] && printf '\r\033[K' >&2
  if [ "$code" = 0 ]; then
    say "$label: done in $took"
  else
    say "$label: ${RED}failed${PLAIN} after $took"
  fi
  return "$code"
}

last_line() {
  tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' | grep -av '^[[:space:]]*$' | tail -1 | cut -c1-100 || true
}

# show_log LOG [LINES]: errors first, since what broke is often far from the end.
show_log() {
  local log=$1 lines=${2:-40}
  if grep -qaE '(^|[: ])error:|✘' "$log"; then
    say "--- errors in $log"
    grep -aE '(^|[: ])error:|✘' "$log" | awk '!seen[$0]++' | head -30 >&2
  fi
  say "--- the last lines of $log"
  tail -n "$lines" "$log" >&2
}

# --- building -------------------------------------------------------------------------------------

# Every call of swift goes through here. Without deterministic hashing Configuration and Hummingbird
# rebuild after every manifest edit or configuration switch; it is not exported, because a server
# must keep its hash tables' random seed.
run_swift() { env SWIFT_DETERMINISTIC_HASHING=1 swift "$@"; }

# Warnings are errors in debug builds, which are the ones that bin/test makes: the same flags
# everywhere, so that one debug build serves everything.
debug_swift() { FAIRLEAD_STRICT=1 run_swift "$@"; }

# sources_newer_than STAMP: has anything a build reads changed since? A removed file shows in the
# modification time of its folder.
sources_newer_than() {
  [ ! -f "$1" ] || [ -n "$(find "$ROOT/Sources" "$ROOT/Package.swift" -newer "$1" -print -quit)" ]
}

# build_binary debug|release: nothing when up to date.
build_binary() {
  local configuration=$1 swift=run_swift
  local stamp="$BUILD/fairlead-$1.stamp" log="$BUILD/logs/build-$1.log"
  [ "$configuration" = debug ] && swift=debug_swift
  if [ -x "$BUILD/$configuration/fairlead" ] && ! sources_newer_than "$stamp"; then return 0; fi
  need_swift
  need_libraries
  mkdir -p "$BUILD/logs"
  # The time the build began, so that what changed meanwhile counts as newer.
  touch "$stamp.new"
  [ -x "$BUILD/$configuration/fairlead" ] \
    || say 'The first build compiles all dependencies; it takes several minutes.'
  if ! (cd "$ROOT" && run_alive "Building fairlead ($configuration)" "$log" \
    "$swift" build -c "$configuration" --product fairlead); then
    show_log "$log"
    fail "the build failed; its log is $log"
  fi
  mv "$stamp.new" "$stamp"
}
