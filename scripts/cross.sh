#!/bin/sh
# usage: cross.sh LDFLAGS
# Builds out/{gateway,receiver}-linux-{arm,arm64,amd64} and checks that each is for its architecture and static.
set -eu
: "${GO:=go}"
mkdir -p out
for arch in arm arm64 amd64; do
	for program in gateway receiver; do
		file=out/$program-linux-$arch
		CGO_ENABLED=0 GOOS=linux GOARCH=$arch GOARM=6 "$GO" build -trimpath -ldflags "$1" -o "$file" "./cmd/$program"

		# What the linker noted in the binary. Without cgo it links statically: there is no libc to load.
		settings=$("$GO" version -m "$file")
		want="CGO_ENABLED=0 GOOS=linux GOARCH=$arch"
		if [ $arch = arm ]; then want="$want GOARM=6"; fi
		for setting in $want; do
			echo "$settings" | grep -q "	$setting\$" || { echo "$file: not built with $setting" >&2; exit 1; }
		done
		printf '%-28s %5d KiB\n' "$file" $(($(wc -c <"$file") / 1024))
	done
done
