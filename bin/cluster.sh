# A private PostgreSQL for the tests: made, started and removed by bin/test. Sourced, not run.
#
# Loopback only, a password of its own, on a free port below the ephemeral range; no durability, as
# nothing here outlives the run. Not the collation `C` where the server has another to offer, so that
# a statement which relies on the order of bytes shows.

POSTGRES_HOME=''
POSTGRES_BIN=''

# find_postgres: sets POSTGRES_BIN to the newest server's programs; 1 where there is none from 14 on.
find_postgres() {
  local dir version best=13
  for dir in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
    "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")"; do
    [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] || continue
    version=$("$dir/postgres" --version | sed -nE 's/.* ([0-9]+)(\.|devel|beta|rc| |$).*/\1/p')
    if [ "${version:-0}" -gt "$best" ]; then
      best=$version
      POSTGRES_BIN=$dir
    fi
  done
  [ "$best" -ge 14 ]
}

# as_postgres COMMAND…: the server refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

free_port() {
  local port=$((20000 + RANDOM % 10000))
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

# need_postgres: starts the cluster once and exports FAIRLEAD_TEST_POSTGRES, its URL. A URL that is
# set already is used as it is.
need_postgres() {
  [ -n "${FAIRLEAD_TEST_POSTGRES:-}" ] && return 0
  if ! find_postgres; then
    apt_install postgresql
    find_postgres || fail 'installed postgresql, and there is no server of version 14 or newer.'
  fi
  if [ "$(id -u)" = 0 ] && ! id postgres >/dev/null 2>&1; then
    fail 'PostgreSQL does not run as root, and there is no user postgres to run it as.'
  fi
  POSTGRES_HOME="$BUILD/postgres"
  mkdir -p "$POSTGRES_HOME"
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$POSTGRES_HOME"
    # Under a closed home directory the user cannot get there.
    as_postgres test -w "$POSTGRES_HOME" 2>/dev/null \
      || { POSTGRES_HOME=$(mktemp -d /tmp/fairlead-postgres.XXXXXX) && chown postgres "$POSTGRES_HOME"; }
  fi
  stop_cluster # one that a killed run left
  mkdir -p "$POSTGRES_HOME"
  [ "$(id -u)" = 0 ] && chown postgres "$POSTGRES_HOME"
  local password port log="$LOGS/postgres.log" locale=(--no-locale)
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  port=$(free_port)
  "$POSTGRES_BIN/initdb" --help | grep -q -- --icu-locale \
    && locale=(--locale=C --locale-provider=icu --icu-locale=en-US)
  (umask 077 && printf '%s\n' "$password" >"$POSTGRES_HOME/password")
  [ "$(id -u)" = 0 ] && chown postgres "$POSTGRES_HOME/password"
  if ! (cd / && as_postgres "$POSTGRES_BIN/initdb" -D "$POSTGRES_HOME/data" -U fairlead -E UTF8 \
    "${locale[@]}" --auth=scram-sha-256 --pwfile="$POSTGRES_HOME/password" --no-sync) >"$log" 2>&1; then
    show_log "$log" 15
    fail "PostgreSQL's initdb failed; its log is $log"
  fi
  cat >>"$POSTGRES_HOME/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 300
fsync = off
full_page_writes = off
deadlock_timeout = 200ms
log_min_messages = fatal
log_min_error_statement = panic
END
  if ! (cd / && as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_HOME/data" -w -t 60 \
    -l "$POSTGRES_HOME/server.log" start) >>"$log" 2>&1 </dev/null; then
    cat "$POSTGRES_HOME/server.log" >>"$log" 2>/dev/null || true
    show_log "$log" 15
    fail "PostgreSQL did not start; its log is $log"
  fi
  export FAIRLEAD_TEST_POSTGRES="postgres://fairlead:$password@127.0.0.1:$port/postgres"
}

# stop_cluster: ends the server and removes its data.
stop_cluster() {
  [ -n "$POSTGRES_HOME" ] && [ -d "$POSTGRES_HOME" ] || return 0
  if [ -f "$POSTGRES_HOME/data/postmaster.pid" ]; then
    (cd / && as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_HOME/data" -m immediate -w -t 20 stop) \
      >/dev/null 2>&1 || true
  fi
  rm -rf "$POSTGRES_HOME"
}
