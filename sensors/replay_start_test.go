package sensors

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

func TestReplayStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, want, wrong string
	}{
		{"# start: 2026-01-12T01:00:00+01:00\ntime,sensor\n", "2026-01-12T00:00:00Z", ""},
		{"# of a fridge\n# start: 2026-01-12T00:00:00Z \n", "2026-01-12T00:00:00Z", ""},
		{"# of a fridge\ntime,sensor\n# start: 2026-01-12T00:00:00Z\n", "", ""},
		{"", "", ""},
		{"# of a fridge\n# start: yesterday\n", "", `f.csv:2:10: start "yesterday": want RFC 3339`},
		{"# start: 0001-01-01T00:00:00Z\n", "", `f.csv:1:10: start "0001`},
	} {
		got, err := ReplayStart("f.csv", bufio.NewReader(strings.NewReader(test.text)))
		if text := got.Format(time.RFC3339); test.want == "" && !got.IsZero() || test.want != "" && text != test.want {
			t.Errorf("%q: %s, want %q", test.text, text, test.want)
		}
		if (err == nil) != (test.wrong == "") || err != nil && !strings.HasPrefix(err.Error(), test.wrong) {
			t.Errorf("%q: %v, want %q", test.text, err, test.wrong)
		}
	}
}
