//go:build !linux

package main

import "runtime/debug"

// confineData makes the collector work harder at that size: other systems have no bound that can be relied on.
func confineData(most uint64) error {
	debug.SetMemoryLimit(int64(most))
	return nil
}
