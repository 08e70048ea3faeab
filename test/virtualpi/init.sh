#!/bin/busybox sh
# The first and only script of the virtual Pi: it loads the modules, brings up the network, and then carries out what
# the host writes to the console, one command a line.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
dmesg -n 1 # kernel messages would tear the lines of the console

load() {
	for module in "$1"/*.ko; do
		insmod "$module" || echo "insmod $module: status $?"
	done
}
load /modules
if [ -n "$disk" ]; then
	load /modules/disk
	echo 0 >/sys/module/usb_storage/parameters/delay_use # a second, for sticks that need it
fi
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2

stty -echo -onlcr
echo "guest ready"
n=0
while read -r line; do
	n=$((n + 1))
	(eval "$line") </dev/null 2>&1
	printf '\nguest status %d %d\n' $n $?
done
