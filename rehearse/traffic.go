package rehearse

import (
	"strconv"

	"holdfast"
	"holdfast/wire"
)

// What the uplink does too: records of a second share a batch, and a batch of more than so many bytes of JSON is compressed.
const (
	window    = second
	worthZstd = 1 << 10
)

// device and stream are as long as those of many devices.
const (
	device = "gateway-0001"
	stream = "00000000000000000000000000000001"
)

// traffic puts records into batches and counts their bytes.
type traffic struct {
	lanes      [3]batch // in the order of holdfast.Lanes
	batches    uint64
	bytes      uint64
	compressed uint64
	payload    []byte // scratch
	zstd       []byte // scratch
}

// A batch is one that fills.
type batch struct {
	first   uint64 // number of the first record; the next one where it is empty
	n       uint64
	begun   int64  // monotonic µs of the first record
	records []byte // their JSON, with commas between
}

// add puts a record into the batch of its lane and returns the length of its JSON.
func (t *traffic) add(record holdfast.Record, mono int64) int {
	i := 0
	for holdfast.Lanes[i] != record.Lane() {
		i++
	}
	b := &t.lanes[i]
	urgent := record.Lane() != holdfast.LaneTelemetry
	if late := mono-b.begun >= window || urgent && mono != b.begun; b.n == holdfast.MaxBatchRecords || late {
		t.flush(i)
	}
	before := len(b.records)
	if b.n > 0 {
		b.records = append(b.records, ',')
	}
	start := len(b.records)
	b.records = appendRecord(b.records, record)
	size := len(b.records) - start
	if len(b.records) > holdfast.MaxBatchBytes && b.n > 0 { // it begins the next one
		text := b.records[start:]
		b.records = b.records[:before]
		t.flush(i)
		b.records = append(b.records, text...)
	}
	if b.n == 0 {
		b.begun = mono
	}
	b.n++
	return size
}

// flush sends what waits in a lane.
func (t *traffic) flush(i int) {
	b := &t.lanes[i]
	if b.n == 0 {
		return
	}
	lane := string(holdfast.Lanes[i])
	t.payload = b.appendJSON(t.payload[:0], lane)
	plain, packed := len(t.payload), len(t.payload)
	if plain > worthZstd {
		t.zstd = wire.Compress(t.zstd[:0], t.payload)
		packed = len(t.zstd)
	}
	t.batches++
	t.bytes += uint64(packet(lane, plain))
	t.compressed += uint64(packet(lane, packed))
	b.first += b.n
	b.n, b.records = 0, b.records[:0]
}

// appendJSON appends the batch as wire.EncodeBatch writes it.
func (b *batch) appendJSON(to []byte, lane string) []byte {
	first, last := b.first+1, b.first+b.n
	to = append(to, `{"v":1,"device":"`+device+`","stream":"`+stream+`","lane":"`...)
	to = append(to, lane...)
	to = append(to, `","first":`...)
	to = strconv.AppendUint(to, first, 10)
	to = append(to, `,"last":`...)
	to = strconv.AppendUint(to, last, 10)
	to = append(to, `,"head":`...)
	to = strconv.AppendUint(to, last, 10)
	to = append(to, `,"what":"data","records":[`...)
	to = append(to, b.records...)
	return append(to, "]}"...)
}

// packet is the length of an MQTT PUBLISH: header, topic, packet identifier, payload (MQTT 3.1.1, 2.2 and 3.3).
func packet(lane string, payload int) int {
	rest := 2 + len(holdfast.Topics{}.Batch(device, holdfast.Lane(lane))) + 2 + payload
	length := 1
	for n := rest; n >= 128; n /= 128 {
		length++
	}
	return 1 + length + rest
}

// report sends what waits and writes the sums.
func (t *traffic) report(to *Traffic) {
	for i := range t.lanes {
		t.flush(i)
	}
	to.Batches, to.Bytes, to.Compressed = t.batches, t.bytes, t.compressed
}
