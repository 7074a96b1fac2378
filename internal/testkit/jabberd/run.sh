#!/bin/sh
# Runs the three programs of jabberd2 until the first of them ends, or this is ended. The
# numbers of its children are kept here: jobs -p in a subshell lists none in dash.
cd "$(dirname "$0")" || exit 1
rm -f ./*.pid
jabberd2-router -c router.xml &
children=$!
trap 'trap - TERM; kill $children 2>/dev/null; wait; exit 0' TERM
# The others connect to the router and give up when it is not there.
until [ -e router.pid ]; do kill -0 $children || exit 1; sleep 0.05; done
jabberd2-sm -c sm.xml &
children="$children $!"
jabberd2-c2s -c c2s.xml &
children="$children $!"
running() {
	for child in $children; do
		kill -0 "$child" 2>/dev/null || { echo "jabberd2: process $child has ended"; return 1; }
	done
}
while running; do sleep 0.2; done
kill $children 2>/dev/null
wait
exit 1
