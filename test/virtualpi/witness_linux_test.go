package virtualpi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"holdfast"
	"holdfast/internal/testenv"
)

// A witness asks a gateway's page for its status again and again. What it heard last is what the gateway has vouched for
// when the power goes: the page speaks of numbers only when they are durable.
type witness struct {
	stop func() // ends the asking; more is not heard then

	mu            sync.Mutex
	first, newest testimony // zero before the page is there
}

// A testimony is one answer of the page.
type testimony struct {
	At     time.Time `json:"-"` // when it was here
	Time   time.Time // when it was given, by the guest's clock
	Stream holdfast.Stream
	Buffer struct {
		Lanes map[holdfast.Lane]holdfast.LaneStatus
	}
	Records struct{ Waiting int }
	Sensors []struct{ Samples int }
	Changes int64 `json:"settings_revision"` // of settings, in the life of the card
}

// newWitness starts asking. The caller calls stop.
func newWitness(ctx context.Context, page string) *witness {
	ctx, cancel := context.WithCancel(ctx)
	w := new(witness)
	var asking sync.WaitGroup
	asking.Go(func() {
		for testenv.Pause(ctx, 100*time.Millisecond) {
			if t, err := ask(ctx, page); err == nil {
				w.hear(t)
			}
		}
	})
	w.stop = func() { cancel(); asking.Wait() }
	return w
}

func (w *witness) hear(t testimony) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = t
	if w.first.none() {
		w.first = t
	}
}

// heard returns the first testimony and the newest.
func (w *witness) heard() (first, newest testimony) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first, w.newest
}

func (t testimony) none() bool { return t.At.IsZero() }

// guest returns what the guest's clock showed at an instant here, or a little less.
func (t testimony) guest(at time.Time) time.Time { return t.Time.Add(at.Sub(t.At)) }

func ask(ctx context.Context, page string) (t testimony, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err = call(ctx, http.MethodGet, page+"/api/v1/status", "", &t)
	t.At = time.Now()
	if err == nil && t.Stream.IsZero() {
		err = errOpening
	}
	return t, err
}

// errOpening is what a page has to say of durable things before the buffer is open: nothing.
var errOpening = errors.New("the buffer is not open yet")

// token lets the test change settings on the page.
const token = "held-fast-through-power-cuts"

// call makes a request of the page and reads its answer.
func call(ctx context.Context, method, address, body string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+address, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, address, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
