package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func document(origin string, version int, revision int64) *ruleSet {
	return &ruleSet{Origin: origin, Version: version, Revision: revision, Text: fmt.Sprintf("version: %d\nrules: []\n", version)}
}

// Which set is in force: what was written goes before the configuration, what was rejected before nothing, and what is gone
// back to is the newest that proved itself.
func TestBookChooses(t *testing.T) {
	t.Parallel()
	file, written := document(originFile, 1, 0), document("command", 2, 7)
	proven, page := document(originFile, 3, 0), document("page", 4, 5)
	no := func(all ...*ruleSet) (r []rejection) {
		for _, s := range all {
			r = append(r, rejection{Hash: s.hash(), Revision: s.Revision})
		}
		return r
	}
	for name, c := range map[string]struct {
		book                  book
		setting, config, want *ruleSet
	}{
		"nothing":                               {},
		"nothing any more":                      {book: book{Good: proven, Proven: true}},
		"the file":                              {config: file, want: file},
		"what was written":                      {setting: written, config: file, want: written},
		"a rejected file":                       {book: book{Good: proven, Rejected: no(file)}, config: file, want: proven},
		"a rejected file and nothing good":      {book: book{Rejected: no(file)}, config: file},
		"a rejected setting":                    {book: book{Good: proven, Rejected: no(written)}, setting: written, config: file, want: file},
		"a rejected setting and a good one":     {book: book{Good: page, Rejected: no(written)}, setting: written, config: file, want: page},
		"both rejected":                         {book: book{Good: proven, Rejected: no(written, file)}, setting: written, config: file, want: proven},
		"a rejected text that is written again": {book: book{Rejected: no(written)}, setting: document("command", 2, 8), want: document("command", 2, 8)},
	} {
		if got := c.book.choose(c.setting, c.config); got.hash() != c.want.hash() {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// A set that ends the gateway again and again is rejected at the fourth start, whatever its source, where there is another to go
// back to; one whose gateway ends well or with the power, or that has proven itself, is not.
func TestBookCountsStarts(t *testing.T) {
	t.Parallel()
	for _, s := range []*ruleSet{document(originFile, 1, 0), document(originVariable, 1, 0), document("command", 1, 3), document("page", 1, 3), document("shadow", 1, 3)} {
		starts := func(b book, well bool, boots ...string) (n int) {
			for i := range 10 {
				boot := "boot"
				if boots != nil {
					boot = boots[i%len(boots)]
				}
				if b = reopened(t, b); b.start(s, boot) != "" {
					return n
				}
				if n++; well {
					b.end()
				}
			}
			return n
		}
		other := book{Good: document(originFile, 9, 0)}
		if n := starts(other, false); n != maxStarts {
			t.Errorf("%s: %d starts, want %d", s.Origin, n, maxStarts)
		}
		if n := starts(other, false, "a", "b"); n != 10 {
			t.Errorf("%s: rejected after %d power cuts", s.Origin, n)
		}
		if n := starts(other, false, "a", "a", "b", "b"); n != 5 {
			t.Errorf("%s: %d starts where each second end is one of the power, want 5", s.Origin, n)
		}
		if n := starts(book{}, false); n != 10 && !s.written() {
			t.Errorf("%s: rejected after %d starts, with nothing to go back to", s.Origin, n)
		}
		if n := starts(book{}, true); n != 10 {
			t.Errorf("%s: rejected after %d starts that ended well", s.Origin, n)
		}
		if n := starts(book{Good: s, Proven: true}, false); n != 10 {
			t.Errorf("%s: rejected after %d starts though it had proven itself", s.Origin, n)
		}
	}
}

// reopened is the book after a restart.
func reopened(t interface{ Fatal(...any) }, b book) (again book) {
	text, err := json.Marshal(b)
	if err == nil {
		err = json.Unmarshal(text, &again)
	}
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// Whoever writes which sets, whichever of them fail or end the gateway, and whenever it is started anew: a set that proved
// itself is never rejected, one that fails on trial is in force no more where there is something to go back to, the same text
// of a rejected configuration is not tried again, and no set ends the gateway more than so often in a row.
func TestBookOverTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b book
		var setting, config, active *ruleSet
		var revision int64
		deaths := 0 // in a row under the set in force, since it came
		boot := "boot-1"
		proven := make(map[string]bool)
		begin := func() {
			next := b.choose(setting, config)
			if next.hash() != active.hash() {
				b.begin(next, active, nil, boot)
				deaths = 0
			}
			active = next
		}
		start := func() {
			b = reopened(t, b)
			for {
				before := active.hash()
				if active = b.choose(setting, config); active.hash() != before {
					deaths = 0
				}
				reason := b.start(active, boot)
				if reason == "" {
					return
				}
				if proven[active.hash()] && b.isProven(active) {
					t.Fatalf("version %d had proven itself and is rejected: %s", active.Version, reason)
				}
				b.reject(active, reason)
			}
		}
		start()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"file", "write", "take back", "measure", "fail", "die", "power", "restart"}).Draw(t, "step") {
			case "file":
				config = document(originFile, rapid.IntRange(1, 6).Draw(t, "version"), 0)
				begin()
			case "write":
				revision++
				setting = document(rapid.SampledFrom([]string{"command", "page", "shadow"}).Draw(t, "who"), rapid.IntRange(1, 6).Draw(t, "version"), revision)
				begin()
			case "take back":
				setting = nil
				begin()
			case "measure":
				for range 11 {
					if b.measured(active, time.Hour) { // a minute each
						proven[active.hash()] = true
					}
				}
				if b.Trial == nil {
					deaths = -1 // where it could not prove itself, its next start is the first that counts
				}
			case "fail":
				on := b.Trial != nil
				failed := active
				if !b.failed(active, "a rule", "it fails") {
					if on && active.written() {
						t.Fatalf("version %d was written, is on trial and fails, and stays", active.Version)
					}
					break
				}
				if !on {
					t.Fatalf("version %d is not on trial and is rejected", active.Version)
				}
				b.reject(failed, "it fails")
				begin()
				if active != nil && active.hash() == failed.hash() && active.Revision == failed.Revision {
					t.Fatalf("version %d failed and is in force", active.Version)
				}
			case "die":
				if deaths++; active != nil && !b.isProven(active) && deaths > maxStarts && b.replaceable(active) {
					t.Fatalf("version %d ended the gateway %d times in a row", active.Version, deaths)
				}
				start()
			case "power":
				boot += "+"
				start()
			case "restart":
				b.end()
				start()
			}
			if config != nil && setting == nil && active.hash() == config.hash() && b.rejection(config) != nil {
				t.Fatalf("version %d of the file was rejected and is in force", config.Version)
			}
		}
	})
}
