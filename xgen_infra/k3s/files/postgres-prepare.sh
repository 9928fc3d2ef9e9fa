#!/bin/sh
# Before PostgreSQL starts: makes the database cluster on an empty volume and, on every start, gives the role of
# the services the password of the Secret. Reads PGDATA, POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD; SCRIPTS is
# the folder of prepare.sql. Safe to interrupt and to run again.
set -eu
umask 077

if [ ! -e "$PGDATA" ]; then
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256 --data-checksums
    mv "$PGDATA.new" "$PGDATA"
elif [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo "$PGDATA holds no PostgreSQL database and is not empty: look at the volume before anything is made on it" >&2
    exit 1
fi

# Only over a socket of this container, and without statements in the log: one of them carries the password.
sockets=$(mktemp -d)
pg_ctl --pgdata="$PGDATA" --wait --timeout=3600 --silent \
    --options="-c listen_addresses='' -c unix_socket_directories='$sockets' -c hba_file='$SCRIPTS/pg_hba.conf' -c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1" \
    start
stop() { pg_ctl --pgdata="$PGDATA" --wait --mode=fast --silent stop; }
trap stop EXIT
psql --host="$sockets" --username=postgres --dbname=postgres --no-psqlrc --quiet \
    --set=ON_ERROR_STOP=1 --file="$SCRIPTS/prepare.sql"
