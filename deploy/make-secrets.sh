#!/bin/sh
# Makes the secrets of an installation that are not there yet, below deploy/secrets/, and touches no other.
# The folder is its owner's alone; the files are readable, since containers run as users of their own.
set -eu
umask 022
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"
chmod 0700 "$folder"

keep() { # name: writes standard input to a file of that name, unless there is one
    if [ -e "$folder/$1" ]; then
        cat >/dev/null
        echo "kept   $1"
        return
    fi
    draft=$(mktemp "$folder/.$1.XXXXXX")
    cat >"$draft"
    chmod 0444 "$draft"
    mv "$draft" "$folder/$1"
    echo "made   $1"
}

random() { head -c 32 /dev/urandom; }
password() { random | od -An -v -tx1 | tr -d ' \n'; }

password | keep postgres_password
password | keep temporal_database_password
password | keep bancheng_database_password
printf 'postgresql://bancheng:%s@postgres:5432/bancheng' "$(cat "$folder/bancheng_database_password")" |
    keep bancheng_database_url
password | keep bancheng_secret_key
printf 'k1:%s' "$(random | base64 | tr -d '\n')" | keep bancheng_payload_keys
random | base64 | tr -d '\n' | keep bancheng_signing_key
password | keep grafana_password
echo "Copy bancheng_payload_keys and bancheng_signing_key to a safe place apart from every backup, now."
