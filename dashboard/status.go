package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"holdfast/internal/ui"
)

// pace is the time between two views of the live stream.
const pace = time.Second

func (d *Dashboard) view(r *http.Request) View {
	view := d.options.Status.Status(r.Context())
	view.MayWrite = d.mayWrite(r)
	view.TokenSet = d.options.Token != ""
	view.Simulated = d.options.Simulated != nil
	return view
}

func (d *Dashboard) status(w http.ResponseWriter, r *http.Request) { reply(w, d.view(r)) }

// live sends views until the client goes or the server stops. Each write gets its own deadline, because the server's is
// for answers that end.
func (d *Dashboard) live(w http.ResponseWriter, r *http.Request) {
	select {
	case d.subscribers <- struct{}{}:
		defer func() { <-d.subscribers }()
	default:
		w.Header().Set("Retry-After", "10")
		ui.Problem(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are open already; close one", maxSubscribers))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		data, err := json.Marshal(d.view(r))
		if err != nil {
			d.options.Log.Error("status has no json", "err", err)
			return
		}
		_ = control.SetWriteDeadline(time.Now().Add(10 * pace)) // a writer without deadlines is a test's
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}
