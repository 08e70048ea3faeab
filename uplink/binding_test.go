package uplink

import (
	"testing"

	"holdfast"
)

func present(store holdfast.Stream, start string) holdfast.Presence {
	return holdfast.Presence{V: 1, Store: store, Start: start, Online: true}
}

func gone(store holdfast.Stream, start string) holdfast.Presence {
	p := present(store, start)
	p.Online = false
	return p
}

func TestAnnounced(t *testing.T) {
	t.Parallel()
	type saying struct {
		instance string
		presence holdfast.Presence
		news     bool
	}
	cloud := Binding{store, "cloud"}
	for _, c := range []struct {
		name  string
		pin   holdfast.Stream
		bound Binding
		said  []saying
		want  step // of the last
	}{
		{"unbound, kept presence", holdfast.Stream{}, Binding{}, []saying{{"cloud", present(store, "1"), false}}, step{}},
		{"unbound, a receiver starts", holdfast.Stream{}, Binding{}, []saying{{"cloud", present(store, "1"), true}}, step{restart: true}},
		{"bound, kept presence", holdfast.Stream{}, cloud, []saying{{"cloud", present(store, "1"), false}}, step{}},
		{"bound, the same start again", holdfast.Stream{}, cloud, []saying{{"cloud", present(store, "1"), false}, {"cloud", present(store, "1"), true}}, step{}},
		{"bound, back from a lost link", holdfast.Stream{}, cloud, []saying{{"cloud", gone(store, "1"), false}, {"cloud", present(store, "1"), true}}, step{}},
		{"bound, a new start", holdfast.Stream{}, cloud, []saying{{"cloud", present(store, "1"), false}, {"cloud", present(store, "2"), true}}, step{restart: true}},
		{"bound, leaves", holdfast.Stream{}, cloud, []saying{{"cloud", present(store, "1"), false}, {"cloud", gone(store, "1"), true}}, step{}},
		{"bound, a new database", holdfast.Stream{}, cloud, []saying{{"cloud", present(store2, "2"), false}}, step{bind: true, restart: true}},
		{"bound, a stranger", holdfast.Stream{}, cloud, []saying{{"bench", present(store2, "1"), true}}, step{foreign: true}},
		{"bound, a second replica", holdfast.Stream{}, cloud, []saying{{"cloud", present(store, "1"), false}, {"cloud2", present(store, "7"), false}}, step{}},
		{"bound, the replica takes over", holdfast.Stream{}, cloud, []saying{{"cloud", gone(store, "1"), false}, {"cloud2", present(store, "7"), false}}, step{bind: true}},
		{"pinned, its database", store, Binding{store, ""}, []saying{{"cloud", present(store, "1"), false}}, step{bind: true}},
		{"pinned, a new database", store, cloud, []saying{{"cloud", present(store2, "2"), true}}, step{foreign: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := receivers{pin: c.pin, bound: c.bound}
			var got step
			for _, s := range c.said {
				got = r.announced(s.instance, s.presence, s.news)
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestBinder(t *testing.T) {
	t.Parallel()
	var r receivers
	if _, ok := r.binder(store); ok {
		t.Error("a store that nobody announced binds")
	}
	r.announced("gone", gone(store, "1"), false)
	if _, ok := r.binder(store); ok {
		t.Error("a receiver that has left binds")
	}
	r.announced("cloud", present(store, "1"), false)
	b, ok := r.binder(store)
	if want := (Binding{store, "cloud"}); !ok || b != want {
		t.Errorf("got %v, %v; want %v", b, ok, want)
	}
	r.bound = b
	r.announced("bench", present(store2, "1"), false)
	if _, ok := r.binder(store2); ok || r.obeys(store2) || !r.obeys(store) {
		t.Error("a bound gateway is bound by another store")
	}
	r = receivers{pin: store2}
	r.announced("cloud", present(store, "1"), false)
	if _, ok := r.binder(store); ok || r.obeys(store) || r.obeys(holdfast.Stream{}) {
		t.Error("a pinned gateway is bound by another store")
	}
}

// zstd is used when every receiver that may get a batch takes it.
func TestZstd(t *testing.T) {
	t.Parallel()
	r := receivers{bound: Binding{store, "cloud"}}
	with, without := present(store, "1"), present(store, "1")
	with.Accepts = []string{holdfast.AcceptsJSON, holdfast.AcceptsZstd}
	foreign := present(store2, "1")
	for i, c := range []struct {
		instance string
		presence holdfast.Presence
		want     bool
	}{{"bench", foreign, false}, {"cloud", with, true}, {"old", without, false}, {"old", gone(store, "1"), true}, {"cloud", gone(store, "1"), false}} {
		r.announced(c.instance, c.presence, true)
		if got := r.zstd(); got != c.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

// Neither many instances nor many stores fill the memory.
func TestReceiversAreBounded(t *testing.T) {
	t.Parallel()
	r := receivers{bound: Binding{store, "cloud"}}
	for i := range 10 * maxReceivers {
		s := holdfast.Stream{byte(i), byte(i >> 8), 1}
		r.announced(s.String(), present(s, "1"), true)
		r.other(s)
	}
	if len(r.seen) > maxReceivers || len(r.others) > maxReceivers {
		t.Errorf("%d receivers and %d stores are remembered", len(r.seen), len(r.others))
	}
}
