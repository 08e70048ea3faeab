//go:build !linux

package main

// dropPrivileges has nothing to do: capabilities are Linux's.
func dropPrivileges() error { return nil }
