#!/bin/bash
# Makes a client with each of five generators in bin/generators, and compiles a program on each. A generator
# that fails, or warns of anything that is not excused here, fails it.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/bin/generators

# Everything happens in a copy: neither Git nor the Go tools of the gateway see what is generated. The Go
# programs are in testdata, as they are no packages without it.
rm -rf "$out"
mkdir -p "$out"
cp -r tools/generators/{go.mod,go.sum,package.json,tsconfig.json,environment.ts} "$out"
cp -r tools/generators/{openapi-fetch,orval,modelina} tools/generators/testdata/{oapi-codegen,ogen} "$out"
cp openapi.yaml asyncapi.yaml "$out"
ln -s "$PWD/tools/generators/node_modules" "$out/node_modules"
cd "$out"

# quietly runs a generator and shows what it says but for the lines of the first argument.
quietly() {
	local excused=$1 said
	shift
	said=$("$@" 2>&1) || { echo "$said"; echo "it failed: $*"; return 1; }
	said=$(grep -Ev "$excused" <<<"$said" | sed 's/\x1b\[[0-9;]*m//g' | grep -Ei 'warn|error|deprecat|not implemented|using any|ignored' || true)
	[ -z "$said" ] || { echo "$said"; echo "it warns: $*"; return 1; }
}

typescript() {
	quietly '^$' node_modules/.bin/openapi-typescript openapi.yaml -o openapi-fetch/client/openapi.d.ts
	(cd orval && quietly '^$' ../node_modules/.bin/orval)
	quietly '^$' node modelina/models.mjs asyncapi.yaml modelina/client
	node_modules/.bin/tsc -p tsconfig.json
	# None of them writes imports that Node.js resolves: a bundler is what one has.
	for program in openapi-fetch orval modelina; do
		quietly '^$' node_modules/.bin/esbuild "$program/main.ts" --bundle --platform=node --format=esm --outfile="programs/$program.mjs"
	done
}

# ogen names headers as net/http does, whatever their documents do, and has yet to hold the status of a
# problem against that of its answer. That errors are convenient is good news.
golang() {
	mkdir -p oapi-codegen/client
	(cd oapi-codegen && quietly '^$' go tool oapi-codegen -config config.yaml ../openapi.yaml)
	(cd ogen && quietly 'name is not canonical|"status" matching HTTP status code|Generating convenient error' \
		go tool ogen -config config.yaml -package perch -target client -clean ../openapi.yaml)
	go vet ./oapi-codegen ./ogen
	go build -o programs/ ./oapi-codegen ./ogen
}

set -m # a group of processes of its own, so that all of it can be ended
typescript & first=$!
set +m
trap 'kill -- -$first 2>/dev/null || true; wait $first 2>/dev/null || true' EXIT # nothing of it goes on after a failure
golang
wait $first
touch made
