package uplink

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

func batchOf(lane holdfast.Lane, first, last uint64) *holdfast.Batch {
	return &holdfast.Batch{Lane: lane, Stream: stream, First: first, Last: last, What: holdfast.Data}
}

func TestPoisonIsHalved(t *testing.T) {
	t.Parallel()
	var p poison
	b := batchOf(holdfast.LaneTelemetry, 1, 100)
	var limits []uint64
	for range 7 {
		for range poisonDeaths {
			if p.skips(b) {
				t.Fatalf("set aside with %d records left", b.Range().Len())
			}
			p.died(b)
		}
		limits = append(limits, p.most(b))
		b.Last = b.First + p.most(b) - 1
	}
	want := []uint64{50, 25, 12, 6, 3, 1, 1}
	for i := range want {
		if limits[i] != want[i] {
			t.Fatalf("limits %v, want %v", limits, want)
		}
	}
	if !p.skips(b) {
		t.Fatal("a single record that killed the link three times is not set aside")
	}
	next := batchOf(holdfast.LaneTelemetry, 101, 200)
	if p.most(next) != 0 || p.skips(next) || p.within(next) {
		t.Error("the batch behind it is suspected")
	}
	if p.acknowledged(batchOf(holdfast.LaneAlert, 1, 1)) {
		t.Error("another lane speaks for it")
	}
	if !p.acknowledged(next) || p.skips(b) || p.stage == guilty {
		t.Error("the batch behind it got through, and it is not tried")
	}
	p.died(b)
	if p.stage != guilty {
		t.Error("killed the link once more between batches that did not, and is not guilty")
	}
}

func TestPoisonTable(t *testing.T) {
	t.Parallel()
	b, next := batchOf(holdfast.LaneEvent, 7, 10), batchOf(holdfast.LaneEvent, 11, 20)
	for _, c := range []struct {
		name string
		do   func(p *poison)
		most uint64
		skip bool
	}{
		{"two deaths", func(p *poison) { p.died(b); p.died(b) }, 0, false},
		{"three deaths", func(p *poison) { p.died(b); p.died(b); p.died(b) }, 2, false},
		{"not in a row", func(p *poison) { p.died(b); p.died(b); p.died(next); p.died(b) }, 0, false},
		{"the second half of a half", func(p *poison) {
			p.died(b)
			p.died(b)
			p.died(b)
			p.acknowledged(batchOf(holdfast.LaneEvent, 7, 8))
			p.died(batchOf(holdfast.LaneEvent, 9, 10))
		}, 2, false},
		{"acknowledged in between", func(p *poison) { p.died(b); p.died(b); p.acknowledged(b); p.died(b) }, 0, false},
		{"halved, and both halves acknowledged", func(p *poison) {
			p.died(b)
			p.died(b)
			p.died(b)
			p.acknowledged(batchOf(holdfast.LaneEvent, 7, 8))
			p.acknowledged(batchOf(holdfast.LaneEvent, 9, 10))
		}, 0, false},
		{"nothing to halve", func(p *poison) {
			lost := *b
			lost.What = holdfast.Dropped
			for range 9 {
				p.died(&lost)
			}
		}, 0, false},
		{"single record", func(p *poison) {
			one := batchOf(holdfast.LaneEvent, 7, 7)
			p.died(one)
			p.died(one)
			p.died(one)
		}, 1, true},
		{"single record, and the next dies too", func(p *poison) {
			one := batchOf(holdfast.LaneEvent, 7, 7)
			p.died(one)
			p.died(one)
			p.died(one)
			p.died(next)
		}, 1, false},
		{"single record, tried and innocent", func(p *poison) {
			one := batchOf(holdfast.LaneEvent, 7, 7)
			p.died(one)
			p.died(one)
			p.died(one)
			p.acknowledged(next)
			p.acknowledged(one)
		}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p poison
			c.do(&p)
			if p.most(b) != c.most || p.skips(b) != c.skip {
				t.Errorf("limit %d, set aside %v; want %d, %v", p.most(b), p.skips(b), c.most, c.skip)
			}
		})
	}
}

// A record that kills every link it travels on is found among its neighbours, stated, and holds up nobody.
func TestPoisonOnTheWire(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 130)
		q.put(holdfast.LaneTelemetry, json.RawMessage(`{"poison":true}`))
		q.fill(holdfast.LaneTelemetry, 400)
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		var deaths atomic.Int32
		broker.Poison(func(client string, payload []byte) bool {
			if !strings.HasPrefix(client, device) || !bytes.Contains(payload, []byte("poison")) {
				return false
			}
			deaths.Add(1)
			return true
		})
		g := start(t, broker, q, nil)
		time.Sleep(time.Hour)
		if q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("%d records pending after %d deaths", q.pending(holdfast.LaneTelemetry), deaths.Load())
		}
		if got := q.rejected(holdfast.LaneTelemetry); got.Count() != 1 || !got.Contains(131) {
			t.Errorf("set aside %v, want record 131 alone", got)
		}
		if s := g.Status(); s.Poisoned != 1 {
			t.Errorf("status %+v", s)
		}
	})
}

// A broker that lets nothing pass on a topic is no proof against any record.
func TestNothingIsRejectedWhereNothingPasses(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 3)
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		broker.Deny(func(_, topic string, write bool) bool { return write && strings.HasSuffix(topic, "/telemetry") })
		start(t, broker, q, nil)
		time.Sleep(20 * time.Minute)
		broker.Deny(nil)
		time.Sleep(2 * time.Minute)
		if got := q.rejected(holdfast.LaneTelemetry); len(got) != 0 || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("set aside %v, %d pending; want that all arrived", got, q.pending(holdfast.LaneTelemetry))
		}
	})
}

// A record that no batch can hold is stated at once, and its neighbours travel.
func TestRecordThatCannotBeEncoded(t *testing.T) {
	bubble(t, func(t *testing.T, broker *testenv.Broker) {
		r := newReceiver(t, broker, "cloud", store)
		r.start("1")
		q := newTable(stream)
		q.fill(holdfast.LaneTelemetry, 3)
		q.put(holdfast.LaneTelemetry, json.RawMessage(`{"broken"`))
		q.fill(holdfast.LaneTelemetry, 3)
		q.put(holdfast.LaneTelemetry, json.RawMessage(`{"x":"`+strings.Repeat("x", 2<<20)+`"}`))
		q.fill(holdfast.LaneTelemetry, 3)
		start(t, broker, q, nil)
		settled()
		got := q.rejected(holdfast.LaneTelemetry)
		if got.Count() != 2 || !got.Contains(4) || !got.Contains(8) || q.pending(holdfast.LaneTelemetry) != 0 {
			t.Errorf("set aside %v, %d pending; want records 4 and 8, and all the others sent", got, q.pending(holdfast.LaneTelemetry))
		}
	})
}
