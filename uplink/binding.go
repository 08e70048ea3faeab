package uplink

import (
	"maps"
	"slices"

	"holdfast"
)

// A Binding names the database that may free this gateway's records, and the receiver instance that announced it. It is
// kept durably, so that its JSON is a format.
type Binding struct {
	Store    holdfast.Stream `json:"store"`
	Instance string          `json:"instance,omitempty"`
}

// maxReceivers bounds how many receivers, and how many foreign stores, are remembered.
const maxReceivers = 64

// receivers decides whom to obey, from what receivers announce.
type receivers struct {
	pin    holdfast.Stream // the only store to obey; zero where none is configured
	bound  Binding
	seen   map[string]holdfast.Presence // by instance, in this session
	others map[holdfast.Stream]bool     // stores that are not obeyed and spoke all the same
}

// A step is what an announcement asks for.
type step struct {
	bind    bool // to the announced store and instance
	restart bool // forget what is on its way: the receiver never saw it, or may not have
	foreign bool // the store is not obeyed
}

// unbound reports whether the first receipt is to bind.
func (r *receivers) unbound() bool { return r.pin.IsZero() && r.bound.Store.IsZero() }

// obeys reports whether a receipt of that store frees records.
func (r *receivers) obeys(store holdfast.Stream) bool {
	return !r.bound.Store.IsZero() && store == r.bound.Store
}

// newSession forgets presences: the broker sends the retained ones again.
func (r *receivers) newSession() { r.seen = nil }

// announced takes a receiver's presence. News is one that was not retained: published this moment.
func (r *receivers) announced(instance string, p holdfast.Presence, news bool) step {
	before, known := r.seen[instance]
	if !known && len(r.seen) >= maxReceivers {
		return step{}
	}
	if r.seen == nil {
		r.seen = map[string]holdfast.Presence{}
	}
	r.seen[instance] = p
	started := p.Online && (known && before.Start != p.Start || !known && news)
	switch {
	case !p.Online:
		return step{}
	case r.unbound():
		return step{restart: started}
	case p.Store == r.bound.Store:
		return step{bind: instance != r.bound.Instance && r.orphan(), restart: started}
	case r.pin.IsZero() && instance == r.bound.Instance:
		return step{bind: true, restart: true}
	}
	return step{foreign: true}
}

// gone forgets a receiver whose retained presence was deleted.
func (r *receivers) gone(instance string) { delete(r.seen, instance) }

// orphan reports whether the instance of the binding is unknown, or has left.
func (r *receivers) orphan() bool {
	p, known := r.seen[r.bound.Instance]
	return r.bound.Instance == "" || known && !p.Online
}

// binder returns the binding that a receipt of store makes in an unbound gateway: some receiver must announce that store.
func (r *receivers) binder(store holdfast.Stream) (Binding, bool) {
	if !r.unbound() {
		return Binding{}, false
	}
	for _, instance := range slices.Sorted(maps.Keys(r.seen)) {
		if p := r.seen[instance]; p.Online && p.Store == store {
			return Binding{store, instance}, true
		}
	}
	return Binding{}, false
}

// other notes a store that is not obeyed, and reports whether it is new.
func (r *receivers) other(store holdfast.Stream) bool {
	if r.others[store] || len(r.others) >= maxReceivers {
		return false
	}
	if r.others == nil {
		r.others = map[holdfast.Stream]bool{}
	}
	r.others[store] = true
	return true
}

// online reports whether a receiver of the bound store is there.
func (r *receivers) online() bool { return len(r.ours()) > 0 }

// zstd reports whether every receiver of the bound store takes zstd.
func (r *receivers) zstd() bool {
	ours := r.ours()
	for _, p := range ours {
		if !slices.Contains(p.Accepts, holdfast.AcceptsZstd) {
			return false
		}
	}
	return len(ours) > 0
}

func (r *receivers) ours() (ours []holdfast.Presence) {
	for _, p := range r.seen {
		if p.Online && r.obeys(p.Store) {
			ours = append(ours, p)
		}
	}
	return ours
}
