#!/bin/sh
# Puts the dump of WORK into store:$BACKUP_BUCKET/$BACKUP_PREFIX, reads its size back, and only then deletes dumps
# older than KEEP_DAYS. The remote `store` comes from RCLONE_CONFIG_STORE_*.
set -eu
target="store:$BACKUP_BUCKET/$BACKUP_PREFIX"
rclone mkdir "store:$BACKUP_BUCKET"
found=
for dump in "$WORK"/*.dump; do
    [ -f "$dump" ] || continue
    found=1
    rclone copyto --checksum "$dump" "$target/$(basename "$dump")"
    rclone check --one-way "$WORK" "$target" --include "$(basename "$dump")"
    echo "stored $target/$(basename "$dump")"
done
[ -n "$found" ] || { echo "no dump in $WORK" >&2; exit 1; }
rclone delete --min-age "${KEEP_DAYS}d" --include '*.dump' "$target"
