//go:build !linux

package balena

import "os"

// flock does nothing: there is no balena here.
func flock(*os.File) error { return nil }
