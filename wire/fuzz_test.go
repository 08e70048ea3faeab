package wire

import (
	"bytes"
	"errors"
	"testing"

	"holdfast"
)

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodeBatch(f *testing.F) {
	for _, data := range golden(f, "batch") {
		f.Add(data)
		f.Add(Compress(nil, data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBatch(data)
		if err == nil && (b.First < 1 || b.Last < b.First || b.Head < b.Last || len(b.Records) > holdfast.MaxBatchRecords) {
			t.Errorf("accepted %d to %d of %d with %d records", b.First, b.Last, b.Head, len(b.Records))
		}
		if err == nil && b.What == holdfast.Data && uint64(len(b.Records)) != b.Range().Len() {
			t.Errorf("accepted %d records for %d to %d", len(b.Records), b.First, b.Last)
		}
		stable(t, b, err, func(b *holdfast.Batch) ([]byte, error) { return EncodeBatch(b, true) }, DecodeBatch)
	})
}

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodeReceipt(f *testing.F) {
	for _, data := range golden(f, "receipt") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeReceipt(data)
		if err == nil {
			ascending(t, "ranges", r.Ranges)
			ascending(t, "want", r.Want)
		}
		stable(t, r, err, EncodeReceipt, DecodeReceipt)
	})
}

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodeStatus(f *testing.F) { fuzzNoun(f, "state", DecodeStatus) }

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodePresence(f *testing.F) { fuzzNoun(f, "presence", DecodePresence) }

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodeCatalog(f *testing.F) { fuzzNoun(f, "catalog", DecodeCatalog) }

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodeCommand(f *testing.F) { fuzzNoun(f, "command", DecodeCommand) }

// What is accepted is valid, can be written and is read back the same; what is refused is refused as invalid.
func FuzzDecodeResult(f *testing.F) { fuzzNoun(f, "result", DecodeResult) }

func fuzzNoun[T any, N noun[T]](f *testing.F, word string, decode func([]byte) (*T, error)) {
	for _, data := range golden(f, word) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := decode(data)
		stable(t, v, err, func(v *T) ([]byte, error) { return Encode(N(v)) }, decode)
	})
}

func stable[T any](t *testing.T, v *T, err error, encode func(*T) ([]byte, error), decode func([]byte) (*T, error)) {
	t.Helper()
	if err != nil {
		if v != nil || !errors.Is(err, holdfast.ErrInvalid) || err.Error() == "" {
			t.Errorf("refused with %v, want an error that wraps ErrInvalid and no value", err)
		}
		return
	}
	first, err := encode(v)
	if errors.Is(err, ErrTooLarge) { // escapes made it longer than it came
		return
	}
	if err != nil {
		t.Fatalf("decoded, but not encoded: %v", err)
	}
	again, err := decode(first)
	if err != nil {
		t.Fatalf("encoded, but not decoded: %v\n%s", err, first)
	}
	if second, err := encode(again); err != nil || !bytes.Equal(first, second) {
		t.Errorf("not stable, %v:\n%s\n%s", err, first, second)
	}
}

func ascending(t *testing.T, what string, s holdfast.Ranges) {
	t.Helper()
	for i, r := range s {
		if r.Validate() != nil || i > 0 && r.First <= s[i-1].Last+1 {
			t.Errorf("%s %v are no set", what, s)
		}
	}
}

// A frame is never longer than the limit, whatever it says of itself, and what was compressed comes back.
func FuzzDecompress(f *testing.F) {
	f.Add(Compress(nil, []byte("some text, some text, some text")), uint16(31))
	f.Add(Compress(nil, make([]byte, 60_000)), uint16(59_999))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, uint16(10))
	f.Fuzz(func(t *testing.T, data []byte, limit uint16) {
		out, err := Decompress(data, int(limit))
		if len(out) > int(limit) || cap(out) > 2*int(limit)+64 || err != nil && out != nil {
			t.Errorf("%d bytes with room for %d, %v; the limit is %d", len(out), cap(out), err, limit)
		}
		back, err := Decompress(Compress(nil, data), len(data))
		if err != nil || !bytes.Equal(back, data) {
			t.Errorf("compressed %d bytes, and %d came back: %v", len(data), len(back), err)
		}
	})
}
