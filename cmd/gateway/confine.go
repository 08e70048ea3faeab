package main

import "runtime/debug"

// What a process that looks into a damaged file may take: a file whose pages point in circles, or claim a billion entries,
// must end this process and not the Pi. A sound file of the largest size needs a tenth of it.
const (
	mostStack = 32 << 20
	mostData  = 256 << 20
)

// confine bounds what this process may take, for good.
func confine() error {
	debug.SetMaxStack(mostStack)
	return confineData(mostData)
}
