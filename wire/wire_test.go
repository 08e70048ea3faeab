package wire

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast"
)

// golden returns the golden files whose names begin with word, without their trailing newline.
func golden(t testing.TB, word string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../testdata/" + word + "*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("golden files %s: %d found, %v", word, len(paths), err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = bytes.TrimSuffix(data, []byte("\n"))
	}
	return files
}

// Every golden message decodes and is written again byte for byte.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	decoders := map[string]func([]byte) (any, error){
		"batch":    func(b []byte) (any, error) { return DecodeBatch(b) },
		"receipt":  func(b []byte) (any, error) { return DecodeReceipt(b) },
		"state":    func(b []byte) (any, error) { return DecodeStatus(b) },
		"presence": func(b []byte) (any, error) { return DecodePresence(b) },
		"catalog":  func(b []byte) (any, error) { return DecodeCatalog(b) },
		"command":  func(b []byte) (any, error) { return DecodeCommand(b) },
		"result":   func(b []byte) (any, error) { return DecodeResult(b) },
	}
	for word, decode := range decoders {
		for name, want := range golden(t, word) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				message, err := decode(want)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Encode(message)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}

func TestEncodeKeepsTextAsItIs(t *testing.T) {
	t.Parallel()
	got, err := Encode(&holdfast.Command{V: 1, ID: "<a&b>", Name: "ping", From: "Zoë"})
	want := `{"v":1,"id":"<a&b>","name":"ping","from":"Zoë"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if _, err := Encode(&holdfast.Command{V: 1}); !errors.Is(err, holdfast.ErrInvalid) {
		t.Errorf("a command without id was encoded: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	long := `{"v":1,"store":"c41d0f5e6a7b48c99d8e7f6a5b4c3d2e","start":"` + strings.Repeat(" ", MaxPresenceBytes) + `"}`
	for _, c := range []struct {
		name, data string
		decode     func([]byte) error
	}{
		{"nothing", ``, batchError},
		{"no object", `[]`, batchError},
		{"trailing bytes", string(golden(t, "batch_data")["batch_data.json"]) + `{}`, batchError},
		{"another version", `{"v":2}`, batchError},
		{"magic alone", "\x28\xb5\x2f\xfd", batchError},
		{"damaged frame", "\x28\xb5\x2f\xfd\x04\x00\xff\xff\xff\xff", batchError},
		{"long presence", long, func(b []byte) error { _, err := DecodePresence(b); return err }},
		{"receipt of nothing", `{"v":1,"store":"c41d0f5e6a7b48c99d8e7f6a5b4c3d2e"}`, receiptError},
		{"range upside down", `{"v":1,"store":"c41d0f5e6a7b48c99d8e7f6a5b4c3d2e","stream":"9f2c1ab4d07e4c5e8a3b6f1029384756","lane":"event","ranges":[[5,4]]}`, receiptError},
		{"beyond 2^53", `{"v":1,"store":"c41d0f5e6a7b48c99d8e7f6a5b4c3d2e","stream":"9f2c1ab4d07e4c5e8a3b6f1029384756","lane":"event","ranges":[[5,9007199254740992]]}`, receiptError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.decode([]byte(c.data)); !errors.Is(err, holdfast.ErrInvalid) {
				t.Errorf("decoding %.80q: got %v, want an error that wraps ErrInvalid", c.data, err)
			}
		})
	}
}

func batchError(data []byte) error   { _, err := DecodeBatch(data); return err }
func receiptError(data []byte) error { _, err := DecodeReceipt(data); return err }

func TestReceiptComesBackNormal(t *testing.T) {
	t.Parallel()
	r, err := DecodeReceipt([]byte(`{"v":1,"store":"c41d0f5e6a7b48c99d8e7f6a5b4c3d2e","stream":"9f2c1ab4d07e4c5e8a3b6f1029384756","lane":"event","ranges":[[7,9],[1,3],[4,5]]}`))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Ranges.Covers(holdfast.Range{First: 1, Last: 5}) || len(r.Ranges) != 2 {
		t.Errorf("got %v, want [[1,5],[7,9]]", r.Ranges)
	}
}

// A batch that one record makes too long is refused when it is written, so that nobody has to refuse it later.
func TestEncodeBatchRefusesWhatNobodyReads(t *testing.T) {
	t.Parallel()
	b, err := DecodeBatch(golden(t, "batch_data")["batch_data.json"])
	if err != nil {
		t.Fatal(err)
	}
	b.Records[1] = []byte(`{"x":"` + strings.Repeat("x", MaxBytes) + `"}`)
	for _, zstd := range []bool{false, true} {
		if _, err := EncodeBatch(b, zstd); !errors.Is(err, ErrTooLarge) {
			t.Errorf("zstd %v: got %v, want ErrTooLarge", zstd, err)
		}
	}
}
