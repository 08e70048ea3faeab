package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
	"holdfast/internal/proof"
	"holdfast/mqtt"
	"holdfast/receiver"
	"holdfast/wire"
)

// On an open broker a forged receipt frees what it names. The receiver finds out, for it hears how far the gateway has
// come, asks, and gets it from the gateway's history: every reading is in the database all the same, as long as history
// reaches.
func TestForgedReceiptsHeal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		stop := b.backlog()
		before := b.telemetry()

		forger, err := mqtt.Connect(t.Context(), mqtt.Options{Dial: b.broker.Dial, ClientID: "forger", CleanSession: true})
		if err != nil {
			t.Fatal(err)
		}
		state, err := wire.DecodeStatus(b.broker.Retained(holdfast.Topics{}.Device("bubble", holdfast.TopicState)))
		if err != nil {
			t.Fatal(err)
		}
		payload, err := wire.EncodeReceipt(&holdfast.Receipt{V: holdfast.Version, Store: b.store.ID(), Stream: state.Stream,
			Lane: holdfast.LaneTelemetry, Ranges: holdfast.Ranges{{First: 1, Last: state.Lanes[holdfast.LaneTelemetry].Head}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := forger.Publish(t.Context(), mqtt.Message{Topic: holdfast.Topics{}.Device("bubble", holdfast.TopicReceipt), Payload: payload}); err != nil {
			t.Fatal(err)
		}
		forger.Close(context.WithoutCancel(t.Context()))
		time.Sleep(5 * time.Second)

		b.receiver()
		time.Sleep(5 * time.Second) // the receiver asks after 10
		if now := b.telemetry(); now.Data > before.Data+400 {
			t.Errorf("%d readings arrived right away, %d were there: the forgery freed nothing, and this test shows nothing", now.Data, before.Data)
		}
		time.Sleep(3 * time.Minute)
		b.allStored(stop())
		proof.Record(t, proof.Trial{Part: "Named counterexamples", Fault: "receipts forged on an open broker for everything that waits",
			Holds: "the receiver finds the holes, and the gateway's history fills them", Tried: 1, Unit: "forgeries"})
	})
}

// The card moves on under another device id, with a backlog. New readings arrive at once; the old ones wait on the card
// until an operator names the former id, and arrive then.
func TestDeviceChangesID(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("hours in a bubble")
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		stop := b.backlog()
		old := stop()

		r := b.receiver()
		stop = b.gatewayOf("renamed", holdfast.AckReceipt)
		time.Sleep(5 * time.Minute)
		if got := b.telemetry(); got.Data == old {
			t.Error("the backlog arrived under a foreign id")
		}
		if got := b.of("renamed").Totals; got.Data < 2*5*60 || got.Data != got.Head {
			t.Errorf("new readings stand behind the old ones: %+v", got)
		}
		if letters, err := b.store.Letters(t.Context(), "renamed", 100); err != nil || len(letters) == 0 {
			t.Errorf("dead letters %v, %v: want some that tell", letters, err)
		}

		if err := r.Adopt(t.Context(), "renamed", "bubble"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Minute)
		taken := stop()
		if got := b.telemetry(); got.Data != old || got.Head != old {
			t.Errorf("of the old id's %d readings: %+v", old, got)
		}
		if got := b.of("bubble").Totals; got.Missing > 0 || got.Data != got.Head {
			t.Errorf("the old id's numbers: %+v", got)
		}
		if got := b.of("renamed").Totals; got.Data < taken || got.Missing > 0 {
			t.Errorf("the new id's numbers: %+v, %d readings taken", got, taken)
		}
	})
}

// backlog starts a gateway, whose receiver leaves after a minute, and returns ten minutes later what ends it.
func (b *bubble) backlog() (stop func() uint64) {
	quit := b.receiverUntil()
	stop = b.gateway(holdfast.AckReceipt)
	time.Sleep(time.Minute)
	quit()
	time.Sleep(10 * time.Minute)
	return stop
}

func (b *bubble) of(device string) *receiver.Completeness {
	b.t.Helper()
	c, err := receiver.Complete(b.t.Context(), b.store, device)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}
