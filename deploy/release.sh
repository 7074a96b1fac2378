#!/bin/bash
# Makes a release of the commit that is checked out, in the folder DIST: archives of the program for
# Linux and macOS, Debian packages, bills of materials and SHA256SUMS. Twice the same commit gives
# twice the same bytes, wherever and whenever it is built: docs/releasing.md. `make release` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C TZ=UTC CGO_ENABLED=0 GOFLAGS= GOWORK=off GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT=

DIST=$(realpath -m "${DIST:-dist}")
NFPM=${NFPM:-bin/nfpm} CYCLONEDX=${CYCLONEDX:-bin/cyclonedx-gomod}
TARGETS=${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}

# The version is that of the tag, which the changelog has to have, or a state before the next one.
COMMIT=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git show -s --format=%ct HEAD)
DATE=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
NEXT=$(sed -n '/^## /{s/^## \([0-9.]*\).*/\1/p;q}' CHANGELOG.md)
VERSION=$(git describe --exact-match --tags --match 'v[0-9]*' HEAD 2>/dev/null | sed 's/^v//' || true)
if [ -z "$VERSION" ]; then
	VERSION=$NEXT-dev.$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).g${COMMIT:0:12}
elif ! grep -q "^## $VERSION - [0-9-]*\$" CHANGELOG.md; then
	echo "the tag v$VERSION has no heading with a date in CHANGELOG.md: docs/releasing.md" >&2
	exit 1
fi
if [ -n "$(git status --porcelain)" ]; then
	[ -n "${DIRTY:-}" ] || { echo "there are changes that are in no commit; DIRTY=1 builds with them" >&2; exit 1; }
	VERSION=${NEXT}-dirty COMMIT=$COMMIT-dirty
fi
export VERSION DATE SOURCE_DATE_EPOCH
echo "perch $VERSION, $COMMIT, $DATE"

rm -rf "$DIST"
mkdir -p "$DIST"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # GOOS GOARCH RESULT
	GOOS=$1 GOARCH=$2 go build -trimpath -buildvcs=false \
		-ldflags="-s -w -buildid= -X main.release=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" -o "$3" ./cmd/api
}

# What is the same for every target: the page and the scripts are printed by the program itself.
mkdir -p "$work/common/completions"
build "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)" "$work/host"
"$work/host" man >"$work/common/perch.1"
"$work/host" completion bash >"$work/common/completions/perch.bash"
"$work/host" completion zsh >"$work/common/completions/_perch"
"$work/host" completion fish >"$work/common/completions/perch.fish"
cp LICENSE README.md CHANGELOG.md deploy/perch.service "$work/common/"

# Sorted, of user and group 0, of the time of the commit.
archive() { # FOLDER RESULT
	tar -C "$(dirname "$1")" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
		--mode=u+rwX,go+rX,go-w --mtime="@$SOURCE_DATE_EPOCH" -cf - "$(basename "$1")" | gzip -9n >"$2"
}

for target in $TARGETS; do
	os=${target%/*} arch=${target#*/}
	name=perch_${VERSION}_${os}_$arch
	stage=$work/$name
	cp -R "$work/common" "$stage"
	build "$os" "$arch" "$stage/perch"
	[ "$os" = linux ] || rm "$stage/perch.service"
	# The modules that are in the program, with their licences, as the program itself names them. All
	# of them are in the module cache by now.
	GOPROXY=off "$CYCLONEDX" bin -json -noserial -notimestamp -std -licenses -version "v$VERSION" \
		-output "$DIST/$name.cdx.json" "$stage/perch" 2>"$work/sbom.log" || { cat "$work/sbom.log" >&2; exit 1; }
	archive "$stage" "$DIST/$name.tar.gz"
	[ "$os" = linux ] || continue
	# The package's own unit: the program lies in /usr/bin, and the service has a user who stays, so
	# that files can be readable to him.
	sed -e 's|/usr/local/bin/perch|/usr/bin/perch|' -e 's|^DynamicUser=yes$|User=perch\nGroup=perch|' deploy/perch.service >"$stage/perch.service"
	gzip -9nk "$stage/perch.1"
	gzip -9nc CHANGELOG.md >"$stage/NEWS.md.gz"
	gzip -9nc >"$stage/changelog.gz" <<-END
		perch (${VERSION/-/\~}) stable; urgency=medium

		  * What is new is in NEWS.md.gz.

		 -- $(sed -n 's/^maintainer: //p' deploy/deb/nfpm.yaml)  $(date -u -d "@$SOURCE_DATE_EPOCH" -R)
	END
	ARCH=$arch STAGE=$stage "$NFPM" package --config deploy/deb/nfpm.yaml --packager deb --target "$DIST/" >"$work/nfpm.log" 2>&1 || { cat "$work/nfpm.log" >&2; exit 1; }
done

# What the release brings: the newest section of the changelog.
awk '/^## /{n++} n==1' CHANGELOG.md >"$DIST/NOTES.md"
(cd "$DIST" && sha256sum ./*.* | sed 's|\./||' >"$work/sums" && mv "$work/sums" SHA256SUMS && chmod 644 SHA256SUMS)
(cd "$DIST" && ls -l)
