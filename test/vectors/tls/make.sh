#!/bin/sh
# Makes the certificates that README.md lists.
set -eu
cd "$(dirname "$0")"
days=36500
work=$(mktemp -d)

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=Sluice test authority" \
  -keyout "$work/ca.key" -out ca.pem

issue() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$work/$1.csr"
  printf '%s\n' "$3" > "$work/$1.ext"
  openssl x509 -req -in "$work/$1.csr" -CA ca.pem -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/serial" \
    -days $days -extfile "$work/$1.ext" -out "$1.pem"
}

issue a a.test "subjectAltName=DNS:a.test,DNS:localhost,IP:127.0.0.1"
issue b b.test "subjectAltName=DNS:b.test,DNS:*.b.test"
issue client client.test "extendedKeyUsage=clientAuth"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=stranger.test" \
  -keyout stranger.key -out stranger.pem

rm -r "$work"
