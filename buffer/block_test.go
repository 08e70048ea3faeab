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

func FuzzBlock(f *testing.F) {
	h, records := testBlock()
	f.Add(appendBlock(nil, h, records))
	c := cell{revision: 5, kind: cellState, key: "settings", value: []byte("{}")}
	f.Add(c.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		fixed := bytes.Clone(data)
		if len(fixed) > 16 { // the checksum keeps a fuzzer out: let it in
			fixed = seal(fixed[:len(fixed)-checksize], 0)
		}
		for _, data := range [][]byte{data, fixed} {
			h, records, err := decodeBlock(data)
			if err == nil {
				again, lines, err := decodeBlock(appendBlock(nil, h, records))
				if err != nil || *again != *h || len(lines) != len(records) {
					t.Errorf("%+v with %d records comes back as %+v with %d: %v", h, len(records), again, len(lines), err)
				}
			}
			if c, err := decodeCell(data); err == nil && !bytes.Equal(c.encode(), data) {
				t.Errorf("cell %+v does not come back", c)
			}
		}
	})
}
