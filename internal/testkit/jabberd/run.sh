#!/bin/sh
# Runs the three programs of jabberd2 until the first of them ends, or this is ended.
cd "$(dirname "$0")" || exit 1
trap 'trap - TERM; kill $(jobs -p) 2>/dev/null; wait; exit 0' TERM
rm -f ./*.pid
jabberd2-router -c router.xml &
# The others connect to the router and give up when it is not there.
until [ -e router.pid ]; do sleep 0.05; done
jabberd2-sm -c sm.xml &
jabberd2-c2s -c c2s.xml &
wait -n 2>/dev/null || wait
kill $(jobs -p) 2>/dev/null
