#!/bin/sh
# Dumps the database that PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD name into WORK, and reads the dump back.
set -eu
umask 077
dump="$WORK/$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
pg_dump --format=custom --compress=6 --no-owner --no-privileges --file="$dump.part"
pg_restore --list "$dump.part" > /dev/null
mv "$dump.part" "$dump"
echo "dumped $(basename "$dump"), $(wc -c < "$dump") bytes"
