package main

import (
	"context"
	"encoding/json"

	"holdfast"
	"holdfast/uplink"
	"holdfast/wire"
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
	g.uplink.Send(answer.Leaf, data, false)
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
func (g *gateway) refuse(payload []byte) {
	g.control.Refuse(payload, func(r holdfast.Result) {
		data, err := wire.Encode(&r)
		if err != nil {
			g.log.Error("response cannot be written", "id", r.ID, "err", err)
			return
		}
		g.uplink.Offer(holdfast.TopicResponse, data)
	})
}
