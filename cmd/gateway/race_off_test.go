//go:build !race

package main

// dayLength is how many hours a day has.
const dayLength = 24
