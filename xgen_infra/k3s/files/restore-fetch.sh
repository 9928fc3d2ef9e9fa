#!/bin/sh
# Fetches the dump named BACKUP ("latest": the newest) from store:$BACKUP_BUCKET/$BACKUP_PREFIX to WORK/restore.dump.
set -eu
umask 077
source="store:$BACKUP_BUCKET/$BACKUP_PREFIX"
name="$BACKUP"
if [ "$name" = latest ]; then
    name=$(rclone lsf --files-only --include '*.dump' "$source" | sort | tail -n 1)
    [ -n "$name" ] || { echo "no dump in $source" >&2; exit 1; }
fi
rclone copyto "$source/$name" "$WORK/restore.dump"
[ -s "$WORK/restore.dump" ] || { echo "$source/$name does not exist" >&2; exit 1; }
echo "fetched $name"
