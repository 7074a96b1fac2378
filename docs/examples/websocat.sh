#!/bin/sh
# The event socket in a terminal: frames come out, a command goes in. The socket is held
# open for five seconds after the command.
set -eu
url=${PERCH_URL:-http://127.0.0.1:8080}
auth="Authorization: Bearer ${PERCH_TOKEN:-demo-alice}"
to=$(curl -sS -H "$auth" "$url/v1/buddies?q=echo" | sed -n 's/.*"jid":"\([^"]*\)".*/\1/p')

{
	echo "{\"id\":\"c1\",\"type\":\"message.send\",\"data\":{\"to\":\"$to\",\"body\":\"Hello from websocat\"}}"
	sleep 5
} | websocat -H="$auth" --protocol perch.v1 "ws${url#http}/v1/events/ws"
