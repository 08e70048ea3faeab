package main

import (
	"slices"
	"strings"
	"sync"
)

// notices are what a person should know and nothing else shows: faults of the configuration, a button that does not work.
type notices struct {
	mu   sync.Mutex
	list []string
}

// add adds a notice, and reports whether it is a new one.
func (n *notices) add(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Contains(n.list, text) {
		return false
	}
	n.list = append(n.list, text)
	return true
}

// warn tells it to whoever looks at the page or the log.
func (g *gateway) warn(text string) {
	g.log.Warn(text)
	g.notices.add(text)
}

func (n *notices) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// removeAll takes back the notices that begin so.
func (n *notices) removeAll(begin string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s string) bool { return strings.HasPrefix(s, begin) })
}

// remove takes a notice back.
func (n *notices) remove(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(s string) bool { return s == text })
}
