package dashboard

import (
	"encoding/json"
	"net/http"

	"holdfast/internal/ui"
)

// turn takes the one place of what only one at a time may do. done gives it back; where it is taken, done is nil and the answer is
// given.
func turn(w http.ResponseWriter, place chan struct{}, busy string) (done func()) {
	select {
	case place <- struct{}{}:
		return func() { <-place }
	default:
		w.Header().Set("Retry-After", busyRetry)
		ui.Problem(w, http.StatusServiceUnavailable, busy)
		return nil
	}
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nobody to tell
}
