package receiver

import (
	"sync"

	"holdfast"
)

// LiveKind says what a [Live] tells.
type LiveKind string

const (
	LiveSample   LiveKind = "sample"   // Reading
	LiveAlert    LiveKind = "alert"    // Alert
	LiveEvent    LiveKind = "event"    // Event
	LiveDevice   LiveKind = "device"   // Online; state or catalog changed
	LiveResponse LiveKind = "response" // Result: a device's answer to a command
	LiveLagged   LiveKind = "lagged"   // Dropped: the subscriber was too slow and missed so many
)

// Live is one thing that was committed just now.
type Live struct {
	Kind    LiveKind
	Device  string
	Stream  holdfast.Stream
	Seq     uint64
	Reading *holdfast.Reading
	Alert   *holdfast.Alert
	Event   *holdfast.Event
	Result  *holdfast.Result
	Online  bool
	Dropped int
}

// liveQueue is how many things a subscriber may be behind.
const liveQueue = 256

// feed passes what was committed on to subscribers. It never waits for one.
type feed struct {
	mu          sync.Mutex
	subscribers map[*subscriber]bool
}

type subscriber struct {
	device  string // "" for all
	out     chan Live
	dropped int
}

// Subscribe returns what is committed from now on, of one device or with "" of all, until cancel is called. A subscriber that
// falls too far behind misses things and is told how many by a [LiveLagged].
func (r *Receiver) Subscribe(device string) (live <-chan Live, cancel func()) {
	s := &subscriber{device: device, out: make(chan Live, liveQueue)}
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	r.feed.subscribers[s] = true
	return s.out, func() {
		r.feed.mu.Lock()
		defer r.feed.mu.Unlock()
		delete(r.feed.subscribers, s)
	}
}

func (f *feed) publish(all []Live) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subscribers {
		for _, l := range all {
			if s.device == "" || s.device == l.Device {
				s.offer(l)
			}
		}
	}
}

// offer passes l on, after word of what was missed before it.
func (s *subscriber) offer(l Live) {
	if s.dropped > 0 {
		select {
		case s.out <- Live{Kind: LiveLagged, Dropped: s.dropped}:
			s.dropped = 0
		default:
			s.dropped++
			return
		}
	}
	select {
	case s.out <- l:
	default:
		s.dropped++
	}
}
