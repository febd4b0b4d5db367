#!/bin/sh
# The secrets of compose.scale.yml: made at the first start, kept over restarts, never printed.
#   secrets.sh                 makes what is missing
#   secrets.sh rotate NAME     makes a new store, secret_key (the old one stays valid) or database
#   secrets.sh forget NAME     ends the old store or secret_key
# Each folder is a volume of the service of its name, which mounts no other.
set -eu
umask 077

folder=${SECRETS_FOLDER:-/secrets}
web=$folder/web database=$folder/database store=$folder/store
# The users of the images, as numbers, since this image does not know their names.
web_user=${WEB_USER:-1000} server_user=${SERVER_USER:-999}

random() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# From a URL such as redis://parley:PASSWORD@store:6379
password_in() { sed 's|^[^:]*://[^:]*:\([^@]*\)@.*|\1|' "$1"; }
digest() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

put() {  # FILE USER, content from stdin: the whole file, or the one before
  rm -f "$1.new"
  cat >"$1.new"
  sync "$1.new"
  chmod 0400 "$1.new"
  chown "$2:$2" "$1.new"
  mv "$1.new" "$1"
}

new_database() {
  random | put "$database/parley" "$server_user"
  derive_database
}
derive_database() {
  printf 'postgres://parley:%s@database:5432/parley\n' "$(cat "$database/parley")" | put "$web/database_url" "$web_user"
}
new_store() { printf 'redis://parley:%s@store:6379\n' "$(random)" | put "$web/redis_url" "$web_user"; }
# The newest, and those after it that are given: hashes, so that the store knows no password.
derive_store() {
  { digest "$(password_in "$web/redis_url")"; for old; do echo "$old"; done; } | put "$store/parley.sha256" "$server_user"
}

make_missing() {
  [ -e "$database/superuser" ] || random | put "$database/superuser" "$server_user"
  [ -e "$database/parley" ] || new_database
  # what follows from another file is looked at again, as a rotation may have been broken off
  [ -e "$web/database_url" ] && [ "$(password_in "$web/database_url")" = "$(cat "$database/parley")" ] ||
    derive_database
  [ -e "$web/redis_url" ] || new_store
  grep -qsx "$(digest "$(password_in "$web/redis_url")")" "$store/parley.sha256" ||
    derive_store $(head -qn 1 "$store/parley.sha256" 2>/dev/null || :)
  if [ -n "${SECRET_KEY:-}" ]; then printf '%s\n' "$SECRET_KEY" | put "$web/secret_key" "$web_user"
  elif ! [ -e "$web/secret_key" ]; then random | put "$web/secret_key" "$web_user"; fi
}

own_key() {
  [ -z "${SECRET_KEY:-}" ] || { echo "SECRET_KEY is in .env: change it there (new,old)" >&2; exit 2; }
}

make_missing
case "$*" in
  '') ;;
  'rotate database') new_database ;;
  'rotate store')
    old=$(head -n 1 "$store/parley.sha256")
    new_store
    derive_store "$old" ;;
  'forget store') derive_store ;;
  'rotate secret_key')
    own_key
    { random; echo ",$(cat "$web/secret_key")"; } | put "$web/secret_key" "$web_user" ;;
  'forget secret_key')
    own_key
    cut -d , -f 1 "$web/secret_key" | put "$web/secret_key" "$web_user" ;;
  *) echo "usage: secrets.sh [rotate store|database|secret_key | forget store|secret_key]" >&2; exit 2 ;;
esac
