package wire

import (
	"bytes"
	"testing"
)

// What decodes can be encoded, and decodes to the same again: nothing is read that could not have been written.
func FuzzDecodeBatch(f *testing.F) {
	for _, data := range golden(f, "batch") {
		f.Add(data)
		f.Add(Compress(nil, data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBatch(data)
		if err != nil {
			return
		}
		first, err := EncodeBatch(b, false)
		if err != nil {
			t.Fatalf("decoded, but not encoded: %v", err)
		}
		again, err := DecodeBatch(first)
		if err != nil {
			t.Fatalf("encoded, but not decoded: %v\n%s", err, first)
		}
		if second, err := EncodeBatch(again, false); err != nil || !bytes.Equal(first, second) {
			t.Errorf("not stable, %v:\n%s\n%s", err, first, second)
		}
	})
}

func FuzzDecodeReceipt(f *testing.F) {
	for _, data := range golden(f, "receipt") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeReceipt(data)
		if err != nil {
			return
		}
		first, err := EncodeReceipt(r)
		if err != nil {
			t.Fatalf("decoded, but not encoded: %v", err)
		}
		again, err := DecodeReceipt(first)
		if err != nil {
			t.Fatalf("encoded, but not decoded: %v\n%s", err, first)
		}
		if second, err := EncodeReceipt(again); err != nil || !bytes.Equal(first, second) {
			t.Errorf("not stable, %v:\n%s\n%s", err, first, second)
		}
	})
}
