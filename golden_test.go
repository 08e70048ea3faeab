package holdfast

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type message interface{ Validate() error }

// golden maps the first word of a golden file's name to the noun that it holds.
var golden = map[string]func() message{
	"batch":    func() message { return new(Batch) },
	"receipt":  func() message { return new(Receipt) },
	"state":    func() message { return new(Status) },
	"catalog":  func() message { return new(Catalog) },
	"presence": func() message { return new(Presence) },
	"command":  func() message { return new(Command) },
	"result":   func() message { return new(Result) },
	"shadow":   func() message { return new(Shadow) },
}

// Every golden file decodes, is valid, and is what the noun writes, byte for byte.
func TestGoldenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 18 {
		t.Fatalf("golden files: %d found, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			word, _, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "_")
			noun := golden[word]()
			if err := json.Unmarshal(data, noun); err != nil {
				t.Fatal(err)
			}
			if err := noun.Validate(); err != nil {
				t.Error(err)
			}
			if batch, ok := noun.(*Batch); ok {
				checkRecords(t, batch)
			}
			var got bytes.Buffer
			encoder := json.NewEncoder(&got)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(noun); err != nil {
				t.Fatal(err)
			}
			if got.String() != string(data) {
				t.Errorf("got  %swant %s", got.String(), data)
			}
		})
	}
}

// checkRecords decodes each record of a golden batch and expects to write the same bytes again.
func checkRecords(t *testing.T, batch *Batch) {
	for i, want := range batch.Records {
		record, err := DecodeRecord(batch.Lane, want)
		if err != nil {
			t.Errorf("record %d: %v", i, err)
			continue
		}
		got, err := json.Marshal(record)
		if err != nil {
			t.Errorf("record %d: %v", i, err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("record %d:\ngot  %s\nwant %s", i, got, want)
		}
	}
}
