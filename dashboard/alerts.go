package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"holdfast"
	"holdfast/internal/ui"
)

// acknowledge takes {"by":"ann"}; nothing at all is somebody at this page.
func (d *Dashboard) acknowledge(w http.ResponseWriter, r *http.Request) {
	body := struct {
		By string `json:"by"`
	}{string(holdfast.OriginPage)}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf(`body: %v: want {"by":"…"}`, err))
		return
	}
	if err := d.options.Alerts.Acknowledge(r.Context(), r.PathValue("id"), body.By); err != nil {
		d.fail(w, "acknowledge alert", err)
		return
	}
	reply(w, d.view(r))
}
