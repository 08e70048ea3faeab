#!/bin/sh
# Installs the Debian packages that `make test` needs and that are missing, as root or by sudo. It says what it does, and
# does nothing where nothing is missing.
set -eu

packages="
	ca-certificates
	gcc libc6-dev
	mosquitto redis-server
	chromium fonts-dejavu-core
	qemu-system-arm kmod cpio xz-utils nbdkit e2fsprogs
	strace mount
"
# gcc: the race detector · mosquitto, redis-server, chromium: real ones for the tests · the fifth line: the virtual Pi and
# its disk · strace: records what the buffer writes

fail() {
	echo "install-debian: $*" >&2
	exit 1
}

command -v dpkg-query >/dev/null || fail "this is not Debian; install the likes of these yourself, then run make static race end-to-end:" $packages

missing=
for package in $packages; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
	"install ok installed") ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ]; then
	echo "Debian packages: all there"
	exit 0
fi

root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || fail "neither root nor sudo; have these installed:$missing"
	root="sudo"
fi
echo "Debian packages: installing$missing${root:+ by sudo}"

# update waits for whoever else holds the lock of the lists, 5 minutes at most; install does so by itself.
update() {
	for try in 1 2 3 4 5 6 7 8 9 10 last; do
		said=$($root apt-get update -q 2>&1) && return
		case $said in
		*"ould not get lock"*) [ $try = last ] || { echo "another program holds apt's lock, waiting"; sleep 30; } ;;
		*) break ;;
		esac
	done
	fail "apt-get update: $said"
}
update

# The tests start servers of their own. Unless this machine has its own policy, those of the packages are not started.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$root rm -f $policy' EXIT
	trap 'exit 1' INT TERM
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod 755 $policy
fi
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
	-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 $missing || fail "apt-get install:$missing"
