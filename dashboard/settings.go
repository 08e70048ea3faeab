package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"holdfast"
	"holdfast/internal/ui"
)

// button takes {"press":"short"}; nothing at all is a short press.
func (d *Dashboard) button(w http.ResponseWriter, r *http.Request) {
	body := holdfast.Press{Press: holdfast.PressShort}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf(`body: %v: want {"press":"short"}`, err))
		return
	}
	if !slices.Contains([]string{holdfast.PressShort, holdfast.PressLong, holdfast.PressDouble}, body.Press) {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf("press: %q: want short, long or double", body.Press))
		return
	}
	if err := d.options.Settings.Press(r.Context(), body.Press); err != nil {
		d.fail(w, "press button", err)
		return
	}
	reply(w, d.view(r))
}

func (d *Dashboard) setting(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	setting, ok := d.options.Settings.Get(key)
	if err := holdfast.CheckSettingKey(key); err != nil && !ok {
		ui.Problem(w, http.StatusNotFound, err.Error())
		return
	}
	if !ok {
		ui.Problem(w, http.StatusNotFound, fmt.Sprintf("no value of %s is known", key))
		return
	}
	reply(w, setting)
}

// set takes {"value":…,"reason":"…"} and answers with the setting as it now holds.
func (d *Dashboard) set(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Value  json.RawMessage `json:"value"`
		Reason string          `json:"reason"`
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf("body: %v", err))
		return
	}
	if err := json.Unmarshal(text, &body); err != nil {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf(`body: %s; want {"value":…,"reason":"…"}`, holdfast.ExplainJSON(text, &body, err)))
		return
	}
	key := r.PathValue("key")
	if err := checkSet(key, body.Value, body.Reason); err != nil {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	setting, err := d.options.Settings.Set(r.Context(), key, body.Value, holdfast.OriginPage, body.Reason)
	if err != nil {
		d.fail(w, "set "+key, err)
		return
	}
	reply(w, setting)
}

func checkSet(key string, value json.RawMessage, reason string) error {
	if len(value) == 0 {
		return errors.New(`body: no "value"`)
	}
	if len(reason) > 256 {
		return fmt.Errorf("reason: %d bytes: at most 256", len(reason))
	}
	return holdfast.CheckSetting(key, value)
}

// fail answers with what went wrong while carrying out op: the client's fault, or ours, which is logged too.
func (d *Dashboard) fail(w http.ResponseWriter, op string, err error) {
	if errors.Is(err, holdfast.ErrInvalid) {
		ui.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	d.options.Log.Warn("request not carried out", "op", op, "err", err)
	ui.Problem(w, http.StatusInternalServerError, op+": "+err.Error())
}
