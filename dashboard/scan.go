package dashboard

import (
	"net/http"
	"time"
)

// scanTime is how long a look at all buses may take; one that hangs is given up.
const scanTime = 2*time.Minute + 10*time.Second

// onBuses answers with what is on the buses, a line each: {"found":["i2c-1 0x76: bme280 …"]}. The gateway looks between its
// samples; a process beside it would switch multiplexers behind its back.
func (d *Dashboard) onBuses(w http.ResponseWriter, r *http.Request) {
	done := turn(w, d.looking, "a scan is under way already")
	if done == nil {
		return
	}
	defer done()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(scanTime)) // a writer without deadlines is a test's
	found := d.options.Scan(r.Context())
	if found == nil {
		found = []string{}
	}
	reply(w, map[string][]string{"found": found})
}
