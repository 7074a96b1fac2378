#!/bin/sh
# Starts Prosody. The first start makes a certificate authority, of which only the
# certificate is kept, the users of PROSODY_USERS ("name:password name:password"), who are
# buddies of each other, and a room, lobby@rooms.<domain>, which the first of them owns.
set -eu
: "${PROSODY_DOMAIN:?}" "${PROSODY_USERS:?}"
export PROSODY_DATA="${PROSODY_DATA:-/var/lib/prosody}" PROSODY_CA="${PROSODY_CA:-/certs/ca.pem}"
export PROSODY_LISTEN="${PROSODY_LISTEN:-*}" PROSODY_PORT="${PROSODY_PORT:-5222}"
config="${PROSODY_CONFIG:-/etc/prosody/prosody.cfg.lua}"
umask 077

tls="$PROSODY_DATA/tls"
if [ ! -s "$tls/leaf.pem" ]; then
	mkdir -p "$tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-subj "/CN=Perch demo authority" -keyout "$tls/ca.key" -out "$tls/ca.pem" \
		-addext keyUsage=critical,keyCertSign
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-CA "$tls/ca.pem" -CAkey "$tls/ca.key" -subj "/CN=$PROSODY_DOMAIN" \
		-keyout "$tls/leaf.key" -out "$tls/leaf.new" -addext basicConstraints=critical,CA:FALSE \
		-addext "subjectAltName=DNS:$PROSODY_DOMAIN" -addext extendedKeyUsage=serverAuth
	rm "$tls/ca.key"
	mv "$tls/leaf.new" "$tls/leaf.pem"
fi
# By a rename: a gateway never reads half of it.
cp "$tls/ca.pem" "$PROSODY_CA.new"
chmod 644 "$PROSODY_CA.new"
mv "$PROSODY_CA.new" "$PROSODY_CA"

# Prosody's folder of a host, and of one table in it: letters and digits stay as they are.
folder() { printf %s "$PROSODY_DATA/$(printf %s "$1" | sed 's/\./%2e/g; s/-/%2d/g')"; }
host="$(folder "$PROSODY_DOMAIN")"
for user in $PROSODY_USERS; do
	name="${user%%:*}"
	[ ! -e "$host/accounts/$name.dat" ] || continue
	mkdir -p "$host/roster"
	{
		echo 'return { [false] = { version = 1 };'
		for other in $PROSODY_USERS; do
			[ "$other" = "$user" ] || echo "[\"${other%%:*}@$PROSODY_DOMAIN\"] = { subscription = \"both\"; groups = {}; };"
		done
		echo '}'
	} > "$host/roster/$name.dat"
	prosodyctl --config "$config" register "$name" "$PROSODY_DOMAIN" "${user#*:}"
done
rooms="$(folder "rooms.$PROSODY_DOMAIN")"
lobby="lobby@rooms.$PROSODY_DOMAIN"
if [ ! -e "$rooms/persistent.dat" ]; then
	mkdir -p "$rooms/config"
	{
		echo "return { _jid = \"$lobby\";"
		echo '_data = { name = "Lobby"; persistent = true; public = true; changesubject = true; archiving = true;'
		echo 'subject = "Come in"; subject_from = "'"$lobby"'"; };'
		echo "[\"${PROSODY_USERS%%:*}@$PROSODY_DOMAIN\"] = \"owner\"; }"
	} > "$rooms/config/lobby.dat"
	echo "return { [\"$lobby\"] = true; };" > "$rooms/persistent.dat"
fi
exec prosody --config "$config" -F
