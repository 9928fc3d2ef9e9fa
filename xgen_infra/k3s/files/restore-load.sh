#!/bin/sh
# Restores WORK/restore.dump as PGDATABASE. It is built beside the running database and takes its name in one
# transaction at the end; what was there before stays as <database>_before_<time> until somebody drops it.
set -eu
umask 077
dump="$WORK/restore.dump"
time=$(date -u +%Y%m%d%H%M%S)
fresh="${PGDATABASE}_restore_$time"
before="${PGDATABASE}_before_$time"
pg_restore --list "$dump" > "$WORK/contents"

sql() {
    psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="${1:-postgres}" \
        --set=database="$PGDATABASE" --set=fresh="$fresh" --set=before="$before"
}
undo() {
    echo 'ALTER DATABASE :"database" ALLOW_CONNECTIONS true;' | sql || true
    echo 'DROP DATABASE IF EXISTS :"fresh";' | sql || true
    echo "not restored: $PGDATABASE is as it was" >&2
}
trap undo EXIT
echo 'CREATE DATABASE :"fresh" TEMPLATE template1;' | sql
# Extensions that template1 has are there already, and their owner is the superuser: leave them out.
echo 'SELECT extname FROM pg_extension;' | sql "$fresh" > "$WORK/present"
awk 'NR == FNR { present[$1]; next }
     $4 == "EXTENSION" && $6 in present { next }
     $4 == "COMMENT" && $6 == "EXTENSION" && $7 in present { next }
     { print }' "$WORK/present" "$WORK/contents" > "$WORK/selected"
pg_restore --no-owner --no-privileges --exit-on-error --single-transaction \
    --use-list="$WORK/selected" --dbname="$fresh" "$dump"

# The services' pools connect again at once: keep them out until the names are changed.
sql <<'SQL'
ALTER DATABASE :"database" ALLOW_CONNECTIONS false;
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :'database' \g /dev/null
BEGIN;
ALTER DATABASE :"database" RENAME TO :"before";
ALTER DATABASE :"fresh" RENAME TO :"database";
COMMIT;
SQL
trap - EXIT
echo 'ALTER DATABASE :"before" ALLOW_CONNECTIONS true;' | sql
echo "restored $PGDATABASE; the database of before is $before"
