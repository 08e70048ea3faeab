//go:build race

package main

// dayLength is shorter where the race detector makes everything several times as slow.
const dayLength = 6
