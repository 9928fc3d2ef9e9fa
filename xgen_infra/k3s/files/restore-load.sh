#!/bin/sh
# Restores WORK/restore.dump as PGDATABASE. It is built beside the running database and takes its name in one
# transaction at the end; what was there before stays as <database>_before_<time> until somebody drops it.
set -eu
umask 077
dump="$WORK/restore.dump"
time=$(date -u +%Y%m%dT%H%M%SZ | tr 'TZ' '__' | tr -d '_')
fresh="${PGDATABASE}_restore_$time"
before="${PGDATABASE}_before_$time"
pg_restore --list "$dump" > /dev/null

sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname=postgres "$@"; }
sql --set=fresh="$fresh" <<'SQL'
CREATE DATABASE :"fresh" TEMPLATE template0;
SQL
discard() { sql --set=fresh="$fresh" <<'SQL'
DROP DATABASE IF EXISTS :"fresh";
SQL
}
trap discard EXIT
pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname="$fresh" "$dump"

sql --set=fresh="$fresh" --set=before="$before" --set=database="$PGDATABASE" --set=role="$PGUSER" <<'SQL'
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname IN (:'database', :'fresh') AND pid <> pg_backend_pid() AND usename = :'role' \g /dev/null
BEGIN;
ALTER DATABASE :"database" RENAME TO :"before";
ALTER DATABASE :"fresh" RENAME TO :"database";
COMMIT;
SQL
trap - EXIT
echo "restored $PGDATABASE; the database of before is $before"
