package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"holdfast"
	"holdfast/internal/ui"
)

// Rules tells of the set of rules in force. State asks the measuring loop, and gives up when ctx ends.
type Rules interface {
	State(ctx context.Context) (RulesView, error)
	Check(text string) RulesCheck
}

// A RulesView is the set of rules in force, and how its rules get on. Times are UTC; a zero time means never.
type RulesView struct {
	Version  int       `json:"version"`          // 0: no rules
	Origin   string    `json:"origin,omitempty"` // file, variable, example, or who wrote it
	Hash     string    `json:"hash,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Text     string    `json:"text"`               // without what URLs keep secret
	Trial    bool      `json:"trial,omitempty"`    // it has not proven itself
	Written  bool      `json:"written,omitempty"`  // somebody wrote it while the gateway ran, and it can be taken back
	Rejected []string  `json:"rejected,omitempty"` // sets that were taken back and why, newest last
	Rules    []Rule    `json:"rules"`
}

// A Rule is one rule of the set in force.
type Rule struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	What     string    `json:"what"`             // what it does, in a sentence
	Clears   string    `json:"clears,omitempty"` // when an alert of it ends
	Does     string    `json:"does,omitempty"`   // its actions
	Raised   int       `json:"raised"`           // alerts that stand
	Made     uint64    `json:"made"`             // records, since the set is in force and the daemon runs
	Last     time.Time `json:"last,omitzero"`    // of the newest of them
	Failures uint64    `json:"failures"`
	Failure  string    `json:"failure,omitempty"` // the first
	Off      bool      `json:"off,omitempty"`     // it panicked
}

// A RulesCheck says what is wrong with a set of rules.
type RulesCheck struct {
	Version  int            `json:"version"`
	Rules    int            `json:"rules"`
	Mistakes []RulesMistake `json:"mistakes"` // none: it can be activated
	Warnings []string       `json:"warnings,omitempty"`
}

// A RulesMistake is one thing that is wrong in a text.
type RulesMistake struct {
	Line int    `json:"line,omitempty"` // from 1; 0: of the whole
	Key  string `json:"key,omitempty"`
	Text string `json:"text"`
}

// ruleLimit bounds how long the loop is waited for.
const ruleLimit = 5 * time.Second

func (d *Dashboard) rules(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), ruleLimit)
	defer cancel()
	view, err := d.options.Rules.State(ctx)
	if err != nil {
		ui.Problem(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	reply(w, view)
}

// checkRules takes {"text":"version: 3\nrules: …"}.
func (d *Dashboard) checkRules(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Text string `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf(`body: %v: want {"text":"version: 1\nrules: …"}`, err))
		return
	}
	reply(w, d.options.Rules.Check(body.Text))
}

// takeBack takes {"reason":"…"}, or nothing, and answers with the setting as it holds then.
func (d *Dashboard) takeBack(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf(`body: %v: want {"reason":"…"} or nothing`, err))
		return
	}
	if len(body.Reason) > 256 {
		ui.Problem(w, http.StatusBadRequest, fmt.Sprintf("reason: %d bytes: at most 256", len(body.Reason)))
		return
	}
	key := r.PathValue("key")
	setting, err := d.options.Settings.TakeBack(r.Context(), key, holdfast.OriginPage, body.Reason)
	if err != nil {
		d.fail(w, "take back "+key, err)
		return
	}
	reply(w, setting)
}
