package buffer

import (
	"bytes"
	"errors"
	"testing"

	"holdfast"
)

func testBlock() (*header, [][]byte) {
	return &header{
		stream: holdfast.NewStream(), device: "pi-7", ordinal: 3, revision: 77, lane: telemetry, what: holdfast.Data,
		Range: holdfast.Range{First: 1201, Last: 1203}, from: -5, to: 1 << 50, monoFirst: 12, monoEnd: 34,
	}, [][]byte{[]byte(`{"a":1}`), []byte(`{}`), []byte(`"x"`)}
}

func TestBlockRoundTrip(t *testing.T) {
	t.Parallel()
	h, records := testBlock()
	data := appendBlock([]byte("before"), h, records)[6:]
	setOrdinal(data, 4)
	h.ordinal = 4
	got, lines, err := decodeBlock(data)
	if err != nil {
		t.Fatal(err)
	}
	if *got != *h {
		t.Errorf("header %+v, want %+v", got, h)
	}
	if !bytes.Equal(bytes.Join(lines, []byte{'\n'}), bytes.Join(records, []byte{'\n'})) {
		t.Errorf("records %q, want %q", lines, records)
	}
}

// Every flipped bit and every cut is noticed.
func TestBlockDamage(t *testing.T) {
	t.Parallel()
	h, records := testBlock()
	data := appendBlock(nil, h, records)
	for i := range len(data) * 8 {
		bad := bytes.Clone(data)
		bad[i/8] ^= 1 << (i % 8)
		if _, _, err := decodeBlock(bad); !errors.Is(err, errBlock) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
	for n := range data {
		if _, _, err := decodeBlock(data[:n]); !errors.Is(err, errBlock) {
			t.Fatalf("cut to %d: %v", n, err)
		}
	}
}

func TestBlockCountsItsRecords(t *testing.T) {
	t.Parallel()
	h, records := testBlock()
	if _, _, err := decodeBlock(appendBlock(nil, h, records[:2])); !errors.Is(err, errBlock) {
		t.Errorf("2 records for 3 numbers: %v", err)
	}
	h.what = holdfast.Thin
	if _, _, err := decodeBlock(appendBlock(nil, h, records[:2])); err != nil {
		t.Errorf("a summary of 2 for 3 numbers: %v", err)
	}
}
