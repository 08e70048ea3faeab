package main

import (
	"testing"
	"testing/synctest"
	"time"

	"holdfast"
)

const late = 10 * time.Minute

// The receiver comes ten minutes after a gateway that was told to wait for it: nothing is missing.
func TestReceiverStartsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		stop := b.gateway(holdfast.AckReceipt)
		time.Sleep(late)
		b.receiver()
		time.Sleep(time.Minute)
		taken := stop()
		b.allStored(taken)
	})
}

// The receiver comes ten minutes after a gateway that knew of none and had handed everything to the broker, and is bound
// then: all is sent again under its old numbers, and nothing is missing.
func TestReceiverBoundLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		stop := b.gateway(holdfast.AckPuback)
		time.Sleep(late)
		taken := stop()
		b.receiver()
		stop = b.gateway(holdfast.AckReceipt)
		time.Sleep(time.Minute)
		b.allStored(taken + stop())
	})
}
