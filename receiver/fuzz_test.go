package receiver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast"
	"holdfast/mqtt"
	"holdfast/wire"
)

// Whatever comes on whatever topic: it is one thing, and a valid one, or a dead letter that says why. A dead letter names
// numbers only where the payload says whose they are.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	var topics holdfast.Topics
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		leaf := map[string]string{"state": holdfast.TopicState, "catalog": holdfast.TopicCatalog, "result": holdfast.TopicResponse}
		word, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "_")
		topic := topics.Device(device, leaf[word])
		if b, err := wire.DecodeBatch(data); err == nil {
			topic = topics.Batch(b.Device, b.Lane)
			f.Add(topic, wire.Compress(nil, data))
			f.Add(topic, data[:len(data)*2/3])
		}
		f.Add(topic, data)
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		d := read(topics, mqtt.Message{Topic: topic, Payload: payload}, moment(0))
		things := 0
		for _, there := range []bool{d.batch != nil, d.status != nil, d.catalog != nil, d.result != nil, d.letter != nil} {
			if there {
				things++
			}
		}
		if things != 1 {
			t.Fatalf("%d things of %s", things, topic)
		}
		if l := d.letter; l != nil {
			named := l.First > 0
			if l.Code == "" || l.Text == "" || !bytes.Equal(l.Payload, payload) || l.Topic != topic {
				t.Errorf("letter %+v", l)
			}
			if named && ((holdfast.Range{First: l.First, Last: l.Through}).Validate() != nil || l.Stream.IsZero() || l.Lane.Validate() != nil) {
				t.Errorf("letter about %d to %d of lane %q", l.First, l.Through, l.Lane)
			}
			if named && l.Code == codeInvalidBatch && topic != topics.Batch(l.Device, l.Lane) {
				t.Errorf("letter about %s on topic %s", l.Lane, topic)
			}
			return
		}
		if b := d.batch; b != nil {
			checkDelivery(t, topics, topic, d)
			return
		}
		if d.device == "" {
			t.Error("a message of no device is accepted")
		}
	})
}

// checkDelivery expects each record of a batch valid, or with its fault.
func checkDelivery(t *testing.T, topics holdfast.Topics, topic string, d *delivery) {
	t.Helper()
	b := d.batch
	if err := b.Validate(); err != nil || topic != topics.Batch(b.Device, b.Lane) {
		t.Errorf("batch of %s, %s on %s: %v", b.Device, b.Lane, topic, err)
	}
	for i := range b.Records {
		if (d.records[i] == nil) == (d.faults[i] == nil) {
			t.Errorf("record %d: %v, %v", i, d.records[i], d.faults[i])
		}
		if r := d.records[i]; r != nil && (r.Validate() != nil || r.Lane() != b.Lane) {
			t.Errorf("record %d of lane %s: %+v", i, b.Lane, r)
		}
	}
	var settled holdfast.Ranges
	for _, s := range d.stated() {
		if overlap := settled.Within(s.Range); len(overlap) > 0 {
			t.Errorf("%v is stated twice", overlap)
		}
		settled.Add(s.Range)
	}
	if !settled.Covers(b.Range()) || settled.Count() != b.Range().Len() {
		t.Errorf("of %d to %d are stated %v", b.First, b.Last, settled)
	}
}

// The head of a batch that is cut anywhere behind it is read as it was written.
func FuzzSalvageHead(f *testing.F) {
	f.Add(uint64(1), uint64(5), uint16(400), byte('}'))
	f.Add(uint64(1<<53-1), uint64(0), uint16(150), byte(0))
	f.Fuzz(func(t *testing.T, first, more uint64, cut uint16, junk byte) {
		b := &holdfast.Batch{Stream: streamA, First: first, Last: first + more, Head: first + more}
		payload := fmt.Appendf(nil, `{"v":1,"device":"pi-7","stream":%q,"lane":"telemetry","first":%d,"last":%d,"head":%d,"what":"data"`,
			b.Stream, b.First, b.Last, b.Head)
		end := len(payload)
		payload = append(payload, `,"records":[{"time":"2026-05-01T12:00:00Z","sensor":"a"},{"x":1}]}`...)
		payload = append(payload[:min(len(payload), max(end, int(cut)))], junk)
		got := salvage(payload)
		believed := b.Range().Validate() == nil && b.Range().Len() <= holdfast.MaxBatchRecords
		if believed != (got != nil) {
			t.Fatalf("%s: head %+v, want one: %v", payload, got, believed)
		}
		if got != nil && (got.Range() != b.Range() || got.Stream != b.Stream || got.Device != device || got.Lane != holdfast.LaneTelemetry) {
			t.Errorf("%s: head %+v", payload, got)
		}
	})
}
