package main

import (
	"context"
	"encoding/json"
	"net/http"

	"holdfast"
	"holdfast/uplink"
)

// askShadow answers a request to the shadow.
func (g *gateway) askShadow(ctx context.Context, verb string, payload []byte, retained bool) {
	answer, err := g.control.AskShadow(ctx, verb, payload, retained)
	if err != nil {
		return // the daemon is ending
	}
	data, err := json.Marshal(answer.Document)
	if err != nil {
		g.log.Error("answer of the shadow cannot be written", "err", err)
		return
	}
	rejection, rejected := answer.Document.(holdfast.ShadowRejection)
	g.send(answer.Leaf, data, rejected && rejection.Code == http.StatusTooManyRequests)
	if verb != holdfast.ShadowGet {
		g.uplink.Refresh()
	}
}

// documents are what the gateway tells of its shadow at birth and when it changes: all of it, and where what is desired
// does not hold.
func (g *gateway) documents() []uplink.Document {
	doc := g.control.Shadow()
	out := []uplink.Document{{Leaf: holdfast.ShadowTopic("document")}, {Leaf: holdfast.ShadowTopic("delta")}}
	var err error
	if out[0].Payload, err = json.Marshal(doc); err != nil {
		g.log.Error("shadow cannot be written", "err", err)
	}
	if len(doc.Delta) > 0 {
		delta := holdfast.Shadow{Delta: doc.Delta, Version: doc.Version}
		if out[1].Payload, err = json.Marshal(delta); err != nil {
			g.log.Error("delta of the shadow cannot be written", "err", err)
		}
	}
	return out
}

// refuse answers a command that finds too many waiting.
func (g *gateway) refuse(payload []byte) { g.control.Refuse(payload, g.respond) }

// send publishes an answer. One that only says that there were too many requests gives way to the others.
func (g *gateway) send(leaf string, data []byte, givesWay bool) {
	if givesWay {
		g.uplink.Offer(leaf, data)
		return
	}
	g.uplink.Send(leaf, data, false)
}
