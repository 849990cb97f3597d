#!/bin/sh
# Writes THIRD_PARTY to standard output: the modules that the program is built from on any platform of a release, each
# with the licence that its files are recognised by, and the texts of the licences, each once. Reads the module cache.
set -eu
export LC_ALL=C

modules() {
	for platform in linux/amd64 linux/arm64 darwin/arm64; do
		GOOS=${platform%/*} GOARCH=${platform#*/} go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' .
	done | sort -u
}

# files lists a module's licence and notice files.
files() {
	find "$1" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) ! -name '*.go' | sort
	find "$1" -maxdepth 2 -type f -path '*/licenses/ftl.txt' # the text that freetype's LICENSE names
}

# spdx names the licence in a file by its own words.
spdx() {
	text=$(tr -s '[:space:]' ' ' <"$1")
	case $text in
	*'Apache License Version 2.0'*) echo Apache-2.0 ;;
	*'SIL OPEN FONT LICENSE'* | *'SIL Open Font License'*) echo OFL-1.1 ;;
	*'FreeType Project LICENSE'* | *'FreeType License'*) echo FTL ;;
	*'Creative Commons Attribution 4.0'*) echo CC-BY-4.0 ;;
	*'Permission is hereby granted, free of charge'*) echo MIT ;;
	*'Redistribution and use in source and binary forms'*'either the name'*) echo BSD-3-Clause ;;
	*'Redistribution and use in source and binary forms'*) echo BSD-2-Clause ;;
	*) echo 'see text' ;;
	esac
}

echo 'zoobench is built from these modules. Written by third-party.sh; licences as recognised from their files, whose'
echo 'texts follow, each once.'
echo
texts=$(mktemp)
trap 'rm -f "$texts"' EXIT
modules | while read -r path version dir; do
	found=$(files "$dir")
	if [ -z "$found" ]; then
		echo "third-party: $path: no licence file in $dir" >&2
		exit 1
	fi
	echo "$found" | while read -r file; do
		sum=$(sha256sum <"$file" | cut -c1-12)
		echo "$path $version $(basename "$file") $(spdx "$file") $sum"
		grep -q "^$sum " "$texts" || echo "$sum $file" >>"$texts"
	done
done
while read -r sum file; do
	printf '\n---- %s\n\n' "$sum"
	cat "$file"
done <"$texts"
