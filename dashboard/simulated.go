package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"

	"holdfast/internal/ui"
)

// Simulated is a simulated Pi, whose chips can be plugged in and out and broken.
type Simulated interface {
	Chips() []SimulatedChip
	Do(chip, deed string) error // plug, unplug, hang, corrupt, mend; an error says what stands in the way
}

// A SimulatedChip is on its bus or in the drawer.
type SimulatedChip struct {
	Name    string `json:"name"`
	About   string `json:"about"`            // what surrounds it
	Address int    `json:"address"`          // seven bits
	Behind  string `json:"behind,omitempty"` // the multiplexer's channel; empty for the bus itself
	Plugged bool   `json:"plugged"`
	Fault   string `json:"fault,omitempty"` // hang, corrupt
}

// chips lists the chips of the simulated Pi.
func (d *Dashboard) chips(w http.ResponseWriter, _ *http.Request) {
	reply(w, map[string][]SimulatedChip{"chips": d.options.Simulated.Chips()})
}

// fault takes {"chip":"sht3x","do":"plug"} and answers with all chips.
func (d *Dashboard) fault(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Chip string `json:"chip"`
		Do   string `json:"do"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf(`body: %v: want {"chip":"sht3x","do":"plug"}`, err))
		return
	}
	if err := d.options.Simulated.Do(body.Chip, body.Do); err != nil {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	d.chips(w, r)
}
