#!/bin/sh
# Fetches the dump named BACKUP ("latest": the newest) from store:$BACKUP_BUCKET/$BACKUP_PREFIX to WORK/restore.dump.
# Says first which dumps there are.
set -eu
umask 077
source="store:$BACKUP_BUCKET/$BACKUP_PREFIX"
dumps=$(rclone lsf --files-only --include '*.dump' "$source" | sort)
[ -n "$dumps" ] || { echo "no dump in $source" >&2; exit 1; }
echo "dumps in $source:"
echo "$dumps"
name="$BACKUP"
if [ "$name" = latest ]; then
    name=$(echo "$dumps" | tail -n 1)
elif ! echo "$dumps" | grep -qxF -e "$name"; then
    echo "no dump named $name in $source" >&2
    exit 1
fi
rclone copyto "$source/$name" "$WORK/restore.dump"
echo "fetched $name"
