#!/bin/sh
# REST and events with nothing but curl.
set -eu
url=${PERCH_URL:-http://127.0.0.1:8080}
auth="Authorization: Bearer ${PERCH_TOKEN:-demo-alice}"
json='Content-Type: application/json'
call() { curl -sS --fail-with-body -H "$auth" "$@"; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

echo '# who is there'
call "$url/v1/buddies?include=presence&limit=3"

echo '# the cursor: what happens from now on'
cursor=$(call "$url/v1/events" | field next)

echo '# a message; the key makes it safe to repeat'
echo_jid=$(call "$url/v1/buddies?q=echo" | field jid)
id=$(call -H "$json" -H "Idempotency-Key: \"example-$$\"" -d "{\"to\":\"$echo_jid\",\"body\":\"Hello from curl\"}" "$url/v1/messages" | field id)
call "$url/v1/messages/$id"

echo '# its answer, by long polls that go on where the last one ended'
for turn in 1 2 3 4 5; do
	answer=$(call "$url/v1/events?since=$cursor&wait=5&types=message.received")
	echo "$answer"
	case $answer in *'You said: Hello from curl'*) break ;; esac
	cursor=$(echo "$answer" | field next)
done
case $answer in *'You said: Hello from curl'*) ;; *) exit 1 ;; esac

echo '# the list of conversations, and the answer marked as read'
chat="$url/v1/conversations/$(echo "$echo_jid" | sed 's/@/%40/')"
call "$url/v1/conversations?unread=1"
ref=$(call "$chat" | sed 's/.*"last_message":{"id":"[^"]*","ref":"\([^"]*\)".*/\1/')
call -X PUT -H "$json" -d "{\"ref\":\"$ref\"}" "$chat/read"
