package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"

	"holdfast/buffer"
	"holdfast/rules"
	"holdfast/wire"
)

// What the rules remember stands in the buffer's state: a part for each rule, compressed, under rulesPrefix and its name,
// committed with the readings that made it. Gateways before kept all of it under one key; where that key holds a checkpoint it
// is the newer one, for such a gateway ran last. It then says only that the parts are what counts, and is not deleted: a key
// that is gone may come back when a damaged file is salvaged.
const (
	rulesPrefix = "rules/at/"
	rulesKey    = "rules"
)

var rulesMoved = []byte(`{"v":2}`)

// checkpoint returns what has changed in what the rules remember, as state of the buffer: what the engine wants to be kept now, or
// all of it.
func (g *gateway) checkpoint(all bool) map[string][]byte {
	changes := g.rules.Changes
	if all {
		changes = g.rules.Checkpoint
	}
	changed, err := changes()
	if err != nil {
		g.log.Error("rules cannot be checkpointed whole", "err", err)
	}
	state := make(map[string][]byte, len(changed)+2)
	for name, part := range changed {
		if part != nil {
			part = wire.Compress(nil, part) // a third of it or less: the card takes it with each commit
		}
		state[rulesPrefix+name] = part
	}
	if whole := g.buffer.State(rulesKey); whole != nil && !bytes.Equal(whole, rulesMoved) {
		state[rulesKey] = rulesMoved
	}
	return state
}

// remembered returns the parts that the buffer has.
func (g *gateway) remembered() map[string][]byte {
	parts, err := rememberedIn(g.buffer)
	if err != nil {
		g.log.Error("rules did not find all of their state", "err", err)
	}
	return parts
}

func rememberedIn(b *buffer.Buffer) (map[string][]byte, error) {
	parts := make(map[string][]byte)
	var errs []error
	for _, key := range b.StateKeys(rulesPrefix) {
		part, err := wire.Decompress(b.State(key), rules.MaxPart)
		if err != nil { // an empty part is replaced
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		parts[strings.TrimPrefix(key, rulesPrefix)] = part
	}
	whole := b.State(rulesKey)
	if whole == nil || bytes.Equal(whole, rulesMoved) {
		return parts, errors.Join(errs...)
	}
	for name := range parts {
		parts[name] = nil // older than the whole: to be replaced
	}
	newer, err := rules.Parts(whole)
	maps.Copy(parts, newer)
	return parts, errors.Join(append(errs, err)...)
}
